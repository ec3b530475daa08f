import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRestorer, createVault, redactText, restoreText } from '../../src/redaction/index.ts';
import { size } from '../size.ts';
import { cut, mixedText } from './samples.ts';

const key = 'a key of sixteen bytes and more';

describe('createRestorer', () => {
  it('restores placeholders split anywhere', () => {
    fc.assert(
      fc.property(
        mixedText,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        (text, steps) => {
          const { text: redacted, vault } = redactText(text, { key });
          const restorer = createRestorer(vault);
          expect(
            cut(redacted, steps)
              .map((piece) => restorer.push(piece))
              .join('') + restorer.end(),
          ).toBe(text);
        },
      ),
      { numRuns: size(300, 5000), seed: 7 },
    );
  });

  it('escapes values inside JSON strings, at every split', () => {
    const value = 'O"Neil\\\n\u0001 & söner';
    const { text, vault } = redactText(value, {
      key,
      detectors: [{ entity: 'NAME', score: 1, find: (source, report) => report(0, source.length) }],
    });
    const json = JSON.stringify({ to: text, again: `Dear ${text}!` });
    for (let at = 0; at <= json.length; at++) {
      const restorer = createRestorer(vault, { escape: 'json' });
      const restored = restorer.push(json.slice(0, at)) + restorer.push(json.slice(at)) + restorer.end();
      expect(JSON.parse(restored)).toEqual({ to: value, again: `Dear ${value}!` });
    }
  });

  it('restores a placeholder whose underscores a model escaped for Markdown', () => {
    const { text, vault } = redactText('ann@example.com', { key });
    expect(restoreText(text.replaceAll('_', '\\_'), vault)).toBe('ann@example.com');
  });

  it('leaves unknown placeholders and holds nothing when the vault is empty', () => {
    const vault = createVault();
    expect(createRestorer(vault).push('see [EMAIL_ADDRESS_')).toBe('see [EMAIL_ADDRESS_');
    expect(restoreText('[EMAIL_ADDRESS_abcdefghijklmn]', vault)).toBe('[EMAIL_ADDRESS_abcdefghijklmn]');
  });

  it('holds no more than a placeholder may need', () => {
    const { vault } = redactText('ann@example.com', { key });
    const restorer = createRestorer(vault);
    let held = 0;
    for (const unit of `[${'A'.repeat(500)}`) {
      held += 1 - restorer.push(unit).length;
      expect(held).toBeLessThanOrEqual(82);
    }
  });
});
