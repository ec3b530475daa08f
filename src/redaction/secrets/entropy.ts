/** Shannon entropy in bits per UTF-16 unit, of at most the first 256. */
export function entropy(text: string): number {
  const length = Math.min(text.length, 256);
  const counts = new Uint16Array(128);
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index) & 127;
    counts[code] = (counts[code] as number) + 1;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / length) * Math.log2(count / length);
  return bits;
}

/** Written in place of a secret by people who document one. */
const STAND_IN =
  /x{6,}|\*{4,}|\.{3,}|example|placeholder|redacted|change_?me|your[-_]?(?:api|key|token|secret|password)|<[^>]*>|\$\{|\{\{|0{10,}/i;

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
export const isStandIn = (value: string): boolean =>
  PUBLISHED.has(value.slice(-6)) || STAND_IN.test(value.slice(0, 256));
