import { CLASSES, LETTER } from './characters.ts';
import type { PrefixGate } from './prefix-gate.ts';
import { WORD_BITS } from './shapes.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** What two units, side by side, mean to the scan: in bits 0 and 1 letters at the end, in bit 2 that both are, or STOP. */
const BOTH = 4;
const STOP = 128;
const UNITS = BEYOND_ASCII + 1;
const ROW = 256;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** With literals this short nearly every word has to be looked at. */
const WORD_UNITS_MIN = 8;

/** Tells plain text, two units at a time: words of letters and what stands between them. */
export interface SkipTable {
  readonly steps: Uint8Array;
  /** The same of one unit: 1 for a letter, 0 for what stands between words, or STOP. */
  readonly kinds: Uint8Array;
  /** A word of this many letters has to be looked at. */
  readonly unitsMax: number;
}

/** Nothing when short words have to be looked at too. */
export function skipTable(wakes: Uint8Array, { ends, unitsMin }: PrefixGate): SkipTable | undefined {
  if (unitsMin < WORD_UNITS_MIN) return undefined;
  const kinds = Uint8Array.from({ length: UNITS }, (_, code) => {
    const bits = (CLASSES[code] as number) & WORD_BITS;
    return bits === LETTER ? 1 : bits !== 0 || code === 0 || wakes[code] === 1 || ends[code] === 1 ? STOP : 0;
  });
  const steps = new Uint8Array(UNITS * ROW);
  for (let first = 0; first < UNITS; first++) {
    for (let second = 0; second < UNITS; second++) {
      const [one, other] = [kinds[first] as number, kinds[second] as number];
      const step = ((one | other) & STOP) !== 0 ? STOP : other === 0 ? 0 : one === 0 ? 1 : BOTH + 2;
      steps[LITTLE_ENDIAN ? first + second * ROW : first * ROW + second] = step;
    }
  }
  // A word that begins at an odd place is seen one letter shorter.
  return { steps, kinds, unitsMax: unitsMin - 1 };
}

/** Where the first word or sign from `index` on begins that has to be looked at; the text ends with zeros, which have to. */
export function skipPlain(bytes: Uint8Array, pairs: Uint16Array, index: number, table: SkipTable): number {
  const { steps, kinds, unitsMax } = table;
  let letters = 0;
  if ((index & 1) !== 0) {
    letters = kinds[bytes[index] as number] as number;
    if (letters === STOP) return index;
  }
  let at = (index + 1) >> 1;
  let step = steps[pairs[at] as number] as number;
  while (step < STOP) {
    letters = (letters & -(step >> 2)) + (step & 3);
    at++;
    if (letters >= unitsMax) break;
    step = steps[pairs[at] as number] as number;
  }
  return at * 2 - letters;
}
