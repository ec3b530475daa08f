import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../src/core/errors.ts';
import {
  createVault,
  everyDetector,
  global,
  inspect,
  redactText,
  restoreText,
  secrets,
  type ShapeDetector,
  us,
  wordList,
} from '../../src/redaction/index.ts';
import { size } from '../size.ts';
import { mixedText, SAMPLES } from './samples.ts';

const key = 'a key of sixteen bytes and more';
const options = { detectors: everyDetector, key, partition: 'tenant-1' };
const runs = { numRuns: size(300, 5000), seed: 20261122 };

describe('redactText', () => {
  it('finds something in every sample', () => {
    for (const sample of SAMPLES) expect(inspect(sample, { detectors: everyDetector }), sample).not.toEqual([]);
  });

  it('restores what it replaced, exactly (invariant 2)', () => {
    fc.assert(
      fc.property(mixedText, (text) => {
        const { text: redacted, vault } = redactText(text, options);
        expect(restoreText(redacted, vault)).toBe(text);
      }),
      runs,
    );
  });

  it('finds nothing more in what it redacted and changes it no further (invariant 2)', () => {
    fc.assert(
      fc.property(mixedText, (text) => {
        const { text: redacted } = redactText(text, options);
        expect(inspect(redacted, { detectors: everyDetector, scoreMin: 0.5 })).toEqual([]);
        expect(redactText(redacted, options).text).toBe(redacted);
      }),
      runs,
    );
  });

  it('gives well-formed UTF-16 with places in UTF-16 units, emoji before and inside (RED-04)', () => {
    const text = '😀👩‍👩‍👧 write to 😀ann@example.com😀 or 4111 1111 1111 1111😀';
    const { text: redacted, findings } = redactText(text, options);
    expect(findings.map(({ start, end }) => text.slice(start, end))).toEqual([
      'ann@example.com',
      '4111 1111 1111 1111',
    ]);
    expect(redacted.isWellFormed()).toBe(true);
    fc.assert(
      fc.property(mixedText, (mixed) => {
        expect(redactText(mixed, options).text.isWellFormed()).toBe(true);
      }),
      runs,
    );
  });

  it('covers the union of overlapping findings with one whole placeholder (RED-03)', () => {
    const spans = fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.string({ minLength: 60, maxLength: 60, unit: fc.constantFrom(...'abcdefgh ') }),
        spans,
        (text, places) => {
          const detectors = places.map(([start, length], index) => ({
            entity: `KIND_${'ABCDEFGH'.charAt(index)}`,
            score: 0.9,
            find: (source: string, report: (start: number, end: number) => void) => {
              if (source === text) report(start, start + length);
            },
          }));
          const { text: redacted, vault } = redactText(text, { detectors, key });
          const plain = redacted.replace(/\[KIND_[A-H]_[a-z]{14}\]/g, '\u0000');
          expect(plain).not.toMatch(/[[\]]/);
          const covered = new Set(
            places.flatMap(([start, length]) => Array.from({ length }, (_, index) => start + index)),
          );
          expect(plain.replaceAll('\u0000', '')).toBe([...text].filter((_, index) => !covered.has(index)).join(''));
          expect(restoreText(redacted, vault)).toBe(text);
        },
      ),
      runs,
    );
  });

  it('keeps a thousand conversations apart (RED-05)', () => {
    const people = Array.from({ length: 1000 }, (_, index) => `person${index}@example.com`);
    const redactions = people.map((person, index) =>
      redactText(`I am ${person}`, { key, partition: `conversation-${index}` }),
    );
    expect(new Set(redactions.map(({ text }) => text)).size).toBe(1000);
    redactions.forEach(({ text, vault }, index) => {
      expect(restoreText(text, vault)).toBe(`I am ${people[index]}`);
      const other = redactions[(index + 1) % 1000];
      expect(restoreText(text, (other as (typeof redactions)[number]).vault)).toBe(text);
    });
  });

  it('gives equal values one placeholder within a partition and key, and none of another', () => {
    const placeholderOf = (more: object) => redactText('ann@example.com', { ...options, ...more }).text;
    expect(placeholderOf({})).toBe(placeholderOf({}));
    expect(placeholderOf({ partition: 'tenant-2' })).not.toBe(placeholderOf({}));
    expect(placeholderOf({ key: 'another key of sixteen bytes' })).not.toBe(placeholderOf({}));
    expect(placeholderOf({})).toMatch(/^\[EMAIL_ADDRESS_[a-z]{14}\]$/);
  });

  it('leaves placeholders that a user typed as they are, and restores none it did not make (RED-08)', () => {
    const literal = 'I am <PERSON_1>, [PERSON_1] and [EMAIL_ADDRESS_abcdefghijklmn], ann@example.com';
    const { text, vault } = redactText(literal, options);
    expect(text).toContain('<PERSON_1>, [PERSON_1] and [EMAIL_ADDRESS_abcdefghijklmn], [EMAIL_ADDRESS_');
    expect(vault.size).toBe(1);
    expect(restoreText(text, vault)).toBe(literal);
    expect(restoreText('[EMAIL_ADDRESS_abcdefghijklmn]', vault)).toBe('[EMAIL_ADDRESS_abcdefghijklmn]');
    // A number in brackets is no placeholder: it is not let through.
    expect(redactText('[4111111111111111]', options).text).not.toContain('4111');
  });

  it('never names a value in findings or in the error of a block', () => {
    const text = 'card 4111 1111 1111 1111, ann@example.com';
    expect(JSON.stringify(inspect(text, { path: 'messages[0]' }))).not.toMatch(/4111|ann@/);
    expect(inspect(text, { path: 'messages[0]' })[0]).toMatchObject({ entity: 'CREDIT_CARD', path: 'messages[0]' });
    try {
      redactText(text, { actions: { CREDIT_CARD: 'block' } });
      expect.unreachable();
    } catch (error) {
      expect(isGatewayError(error, 'guardrail-blocked')).toBe(true);
      expect(JSON.stringify(error)).not.toMatch(/4111|ann@/);
      expect(String(error)).toContain('CREDIT_CARD');
    }
  });
});

describe('actions', () => {
  const text = 'Ann: ann@example.com, card 4111 1111 1111 1111';
  const done = (action: 'mask' | 'hash' | 'pseudonym' | 'drop' | 'replace') => redactText(text, { key, action });

  it('masks by default without a key, and drops', () => {
    expect(redactText(text).text).toBe('Ann: [EMAIL_ADDRESS], card [CREDIT_CARD]');
    expect(done('drop').text).toBe('Ann: , card ');
  });

  it('hashes so that nothing turns back', () => {
    const { text: hashed, vault } = done('hash');
    expect(hashed).toMatch(/^Ann: \[EMAIL_ADDRESS_[a-z]{14}\], card \[CREDIT_CARD_[a-z]{14}\]$/);
    expect(hashed).toBe(done('hash').text);
    expect(restoreText(hashed, vault)).toBe(hashed);
    expect(hashed).not.toBe(done('replace').text);
  });

  it('gives pseudonyms of the same form, the same each time', () => {
    const { text: other } = done('pseudonym');
    expect(other).toMatch(/^Ann: [a-z]{3}@example\.com, card \d{4} \d{4} \d{4} \d{4}$/);
    expect(other).not.toContain('4111 1111');
    expect(other).toBe(done('pseudonym').text);
    expect(redactText(text, { key, action: 'pseudonym', partition: 'other' }).text).not.toBe(other);
  });

  it('takes an action by entity, then by group, and the strictest of an overlap', () => {
    const detectors = [...global, ...us, ...secrets];
    const mixed = 'ann@example.com ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
    expect(redactText(mixed, { detectors, key, actions: { personal: 'drop', secrets: 'mask' } }).text).toBe(
      ' [GITHUB_PAT]',
    );
    expect(
      redactText(mixed, { detectors, key, actions: { personal: 'drop', secrets: 'mask', EMAIL_ADDRESS: 'mask' } }).text,
    ).toBe('[EMAIL_ADDRESS] [GITHUB_PAT]');
    expect(
      redactText('https://ann:s3cretpass@db.example.com', { detectors, key, actions: { 'url-credentials': 'drop' } })
        .text,
    ).not.toContain('s3cret');
  });

  it('lets allowed values and other entities through', () => {
    expect(redactText(text, { allow: ['ANN@example.com'] }).text).toBe('Ann: ann@example.com, card [CREDIT_CARD]');
    expect(redactText(text, { entities: ['EMAIL_ADDRESS'] }).text).toBe(
      'Ann: [EMAIL_ADDRESS], card 4111 1111 1111 1111',
    );
  });

  it('masks what a full vault has no room for', () => {
    const vault = createVault({ entriesMax: 1 });
    const { text: full } = redactText(text, { key, vault });
    expect(full).toMatch(/^Ann: \[EMAIL_ADDRESS_[a-z]{14}\], card \[CREDIT_CARD\]$/);
    expect(JSON.stringify(vault)).toBe('"[vault of 1]"');
    expect([...vault.entries()]).toEqual([[expect.stringMatching(/^\[EMAIL_ADDRESS_/), 'ann@example.com']]);
  });

  it('finds the caller\u2019s own words and shapes', () => {
    const customer: ShapeDetector = { entity: 'CUSTOMER', score: 0.9, shapes: ['AA_9{5}'], separators: '-' };
    const detectors = [customer, wordList({ words: ['Project Heron', 'Åsa'], entity: 'CODE_NAME' })];
    expect(redactText('project heron: CU-12345 for Åsa, not Åsane', { detectors }).text).toBe(
      '[CODE_NAME]: [CUSTOMER] for [CODE_NAME], not Åsane',
    );
  });

  it('refuses wrong options by name', () => {
    const wrong: object[] = [
      { scoreMin: 2 },
      { action: 'replace' },
      { action: 'other', key },
      { key: 'short' },
      { detectors: [{ entity: 'X Y', score: 1, shapes: ['9'] }] },
      { detectors: [{ entity: 'XY', score: 1, shapes: ['A{3}'] }] },
      { detectors: [{ entity: 'XY', score: 1, shapes: ['AAAAA_9'] }] },
    ];
    for (const options of wrong) {
      expect(() => redactText('x', options), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: 'invalid-options' }),
      );
    }
  });
});
