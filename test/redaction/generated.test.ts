import { describe, expect, it } from 'vitest';
import { everyDetector, inspect, secrets } from '../../src/redaction/index.ts';
import { size } from '../size.ts';
import { Draw } from './generated/draw.ts';
import { identifiers } from './generated/identifiers.ts';
import { harmless, keys, places } from './generated/keys.ts';

/** Values drawn for each identifier and key. */
const DRAWN = size(6, 300);
/** Where an identifier may stand: text before, text behind. */
const AROUND: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['Please check ', ' today.'],
  ['(', ')'],
  ['"id": "', '",'],
  ['value=', ';'],
  ['first\n', '\nlast'],
  ['\t', '\t'],
  ['Is it ', '?'],
  ['番号:', '。'],
  ['naïve – ', ' … été'],
];

const spansOf = (text: string, entity: string): string[] =>
  inspect(text, { detectors: everyDetector, entities: [entity] }).map(({ start, end }) => `${start}-${end}`);

describe('identifiers made by their public definitions', () => {
  it.each(identifiers.map((identifier) => [identifier.entity, identifier.definition, identifier] as const))(
    '%s (%s)',
    (entity, _definition, { make, printed = [], almost }) => {
      const draw = new Draw(entity.length * 7919 + entity.charCodeAt(3));
      for (let times = 0; times < DRAWN; times++) {
        const value = make(draw);
        for (const written of [value, ...printed.map((print) => print(value))]) {
          const [before, after] = draw.pick(AROUND);
          const text = before + written + after;
          expect(spansOf(text, entity), text).toEqual([`${before.length}-${before.length + written.length}`]);
          const two = `${written}, ${written}`;
          expect(spansOf(two, entity), two).toHaveLength(2);
        }
        // A longer number or word is none.
        for (const none of [almost(draw), value + draw.digits(8), `x9${value}`])
          expect(spansOf(none, entity), none).toEqual([]);
      }
    },
  );
});

const secretsIn = (text: string): string[] =>
  inspect(text, { detectors: secrets, scoreMin: 0.5 }).map(({ start, end }) => text.slice(start, end));

describe('keys made as their vendors describe them', () => {
  it.each(keys.map((key) => [key.vendor, key] as const))('%s', (vendor, { make, telling }) => {
    const draw = new Draw(vendor.length * 104_729 + vendor.charCodeAt(1));
    for (let times = 0; times < DRAWN; times++) {
      const value = make(draw);
      for (const place of places) {
        const [before, after] = place(vendor);
        expect(secretsIn(before + value + after), before + value + after).toContain(value);
      }
      if (telling) expect(secretsIn(`It is ${value}.`), value).toContain(value);
    }
  });

  it('leaves alone what stands where a key would, and checksums', () => {
    const draw = new Draw(20_261_122);
    for (let times = 0; times < DRAWN; times++) {
      for (const line of harmless.map((make) => make(draw))) expect(secretsIn(line), line).toEqual([]);
    }
  });
});
