import { codeAt } from '../characters.ts';
const UNITS_MAX = 256;
/** What one more of a character that was there `count` times adds to the sum of `n log n`. */
const GROWTH: Float64Array = Float64Array.from({ length: UNITS_MAX + 1 }, (_, count) =>
  count === 0 ? 0 : (count + 1) * Math.log2(count + 1) - count * Math.log2(count),
);
const counts = new Uint16Array(128);

/** Shannon entropy in bits per UTF-16 unit, of at most the first 256. */
export function entropy(text: string): number {
  const length = Math.min(text.length, UNITS_MAX);
  if (length === 0) return 0;
  counts.fill(0);
  let sum = 0;
  for (let index = 0; index < length; index++) {
    const code = codeAt(text, index) & 127;
    const count = counts[code] as number;
    sum += GROWTH[count] as number;
    counts[code] = count + 1;
  }
  return Math.log2(length) - sum / length;
}

/** Written in place of a secret by people who document one. */
const STAND_IN =
  /x{6}|\*{4}|\.{3}|example|placeholder|redacted|change_?me|your[-_]?(?:api|key|token|secret|password)|\$\{|\{\{|0{10}/i;
/** `<token>`. By itself: together with the words the analyser does not finish. */
const IN_BRACKETS = /<[^<>]{0,64}>/;

/**
 * Ends of keys that vendors print in public documentation and sample applications on purpose: Firebase and Google Maps
 * samples, Algolia DocSearch, AWS. They open nothing.
 */
const PUBLISHED = new Set(
  [
    'stuvwxyz1234567',
    'xoX-oo6YyIs',
    'eke8agEM',
    'IAODrlU',
    'RR_znhrh0',
    'YefhixbX4A',
    'di_UUPwX7c',
    '9CKctWmLd4',
    'jjXeDQgY',
    'LJv_a_p4wtM',
    'jmdnP5sQ',
    'rOq1cS7g',
    'FnzAvvuU',
    'MJmprNXsw',
    'xaOi4FmqE',
    '_n0nvY',
    'b506d14126',
    'EXAMPLEKEY',
    'NN7EXAMPLE',
  ].map((end) => end.slice(-6)),
);

/** Whether a value says itself that it is no secret. */
export function isStandIn(value: string): boolean {
  const judged = value.slice(0, UNITS_MAX);
  return PUBLISHED.has(value.slice(-6)) || STAND_IN.test(judged) || IN_BRACKETS.test(judged);
}
