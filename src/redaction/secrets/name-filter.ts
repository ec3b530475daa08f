import { CLASSES, KEY } from '../characters.ts';

const UNIT = 1;
const JOINT = 2;
const PAD = 3;
const UNITS_MAX = 60;
const PADDING_MAX = 4;
const PADDING = new Set('" \':?|]`\\'.split('').map((sign) => sign.charCodeAt(0)));

/** What a name is made of, its joints, which do not count, and what may stand behind it; 0 for the rest. */
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === 45 || code === 46 || code === 95) return JOINT;
  return ((CLASSES[code] as number) & KEY) !== 0 ? UNIT : PADDING.has(code) ? PAD : 0;
});

/**
 * Tells by three letters in a row that the name before an operator holds none of the words that mean a secret: most names
 * end here, before anything is cut out. `words` are alternatives that begin with three letters or digits.
 */
export function nameFilter(words: readonly string[]): (bytes: Uint8Array, operator: number) => boolean {
  const known = new Uint8Array(1 << 15);
  for (const word of words) {
    let key = 0;
    for (let index = 2; index >= 0; index--) key = keyed(key, word.charCodeAt(index));
    known[key] = 1;
  }
  return (bytes, operator) => {
    let at = operator;
    while (operator - at < PADDING_MAX && at > 0 && KINDS[bytes[at - 1] as number] === PAD) at--;
    let key = 0;
    for (const limit = Math.max(0, at - UNITS_MAX); at > limit; at--) {
      const code = bytes[at - 1] as number;
      const kind = KINDS[code] as number;
      if (kind === JOINT) continue;
      if (kind !== UNIT) return false;
      key = keyed(key, code);
      if (known[key] === 1) return true;
    }
    return false;
  };
}

/** The last three, from the right to the left, in whatever case. */
const keyed = (key: number, code: number): number => ((code & 31) << 10) | (key >> 5);
