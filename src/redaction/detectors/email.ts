import { classOf, codeAt, DIGIT, is, LETTER, runEnd } from '../characters.ts';
import type { AnchorDetector } from '../types.ts';

const LOCAL_UNITS_MAX = 64;
const DOMAIN_UNITS_MAX = 160;
const FIELD = /(?:^|[&?/])[A-Za-z_]{2,30}$/;

/** E-mail addresses, ASCII or with international local parts and hosts. Found from the `@` outwards. */
export const emailAddress: AnchorDetector = {
  entity: 'EMAIL_ADDRESS',
  score: 0.95,
  anchors: '@',
  at(text, index, report) {
    const end = domainEnd(text, index + 1);
    if (end < 0) return;
    const start = localStart(text, index);
    if (start < index) report(start, end);
  },
};

/** RFC 5322 dot-atom, leniently; letters beyond ASCII as in RFC 6531. At most 64 units: the last 64 of more. */
function localStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < LOCAL_UNITS_MAX && isLocal(text, start - 1)) start--;
  while (start < at && isEdge(codeAt(text, start))) start++;
  // `email=ann@…` in a form, a log or a query: the name of a field, not a local part with `=` in it.
  let field = at;
  while (field > start && codeAt(text, field) !== 61) field--;
  if (field > start && FIELD.test(text.slice(start, field))) start = field + 1;
  // Not in the middle of a surrogate pair.
  const code = codeAt(text, start);
  return code >= 0xdc00 && code <= 0xdfff ? start + 1 : start;
}

/** Dots, quotes and operators that stand before an address rather than in it. */
const EDGES = tableOf(".'=/-*?&!|`#$^{}~%+");
const isEdge = (code: number): boolean => code < 128 && EDGES[code] === 1;

/** Of a dot-atom all but `|`, which stands between the columns of a table. */
const LOCAL_SIGNS = tableOf(".!#$%&'*+-/=?^_`{}~");

function isLocal(text: string, index: number): boolean {
  const code = codeAt(text, index);
  if (code >= 128) return isWordBeyondAscii(code);
  return (classOf(code) & (LETTER | DIGIT)) !== 0 || LOCAL_SIGNS[code] === 1;
}

function tableOf(signs: string): Uint8Array {
  const table = new Uint8Array(128);
  for (let index = 0; index < signs.length; index++) table[signs.charCodeAt(index)] = 1;
  return table;
}

/** Letters of other alphabets. Not those written without spaces (CJK, Hangul): there an address starts where ASCII starts. */
export function isWordBeyondAscii(code: number): boolean {
  return code >= 0xc0 && code !== 0xd7 && code !== 0xf7 && code < 0x2000;
}

/** End of a host with a top level domain of two letters or more, or -1. */
export function domainEnd(text: string, from: number): number {
  const limit = Math.min(text.length, from + DOMAIN_UNITS_MAX);
  let index = from;
  let end = -1;
  while (index < limit) {
    const label = index;
    while (index < limit && isLabel(text, index)) index++;
    let last = index;
    while (last > label && codeAt(text, last - 1) === 45) last--;
    if (last === label || codeAt(text, label) === 45) break;
    if (label > from && isTopLevel(text, label, last)) end = last;
    if (last < index || codeAt(text, index) !== 46) break;
    index++;
  }
  return end;
}

const isLabel = (text: string, index: number): boolean =>
  is(text, index, LETTER | DIGIT) || codeAt(text, index) === 45 || isWordBeyondAscii(codeAt(text, index));

function isTopLevel(text: string, start: number, end: number): boolean {
  if (end - start < 2 || end - start > 63) return false;
  if (/^xn--/i.test(text.slice(start, start + 4))) return true;
  if (codeAt(text, start) > 127) return true;
  return runEnd(text, start, LETTER, end) === end;
}
