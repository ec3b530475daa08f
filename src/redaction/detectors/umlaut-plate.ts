import { byteAt, classAt, classOf, codeAt, DIGIT, LETTER } from '../characters.ts';
import { BEYOND_ASCII } from '../unit-bytes.ts';
import type { TokenDetector } from '../types.ts';

const TOWN_UNITS_MAX = 3;
const MARK_UNITS_MAX = 2;
const PLATE = /[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -]?[1-9]\d{0,3}[EH]?(?![\w-]|[À-ɏ])/iy;

/** German plates of towns with an umlaut, `WÜ-AB 123`: layouts know ASCII letters only. */
export const deUmlautPlate: TokenDetector = {
  entity: 'DE_KFZ',
  score: 0.3,
  lengthMin: 1,
  lengthMax: 7,
  context: ['kennzeichen', 'kfz', 'nummernschild', 'fahrzeug', 'auto'],
  contextScore: 0.8,
  weak: () => true,
  token(text, start, _end, report, bytes) {
    if (!isJoint(byteAt(bytes, start - 1))) return;
    const town = townBefore(text, bytes, start - 1) ?? markBefore(text, bytes, start - 1);
    if (town === undefined) return;
    PLATE.lastIndex = town;
    const match = PLATE.exec(text);
    if (match !== null && !isLatin(codeAt(text, town - 1))) report(town, town + match[0].length);
  },
};

const isJoint = (code: number): boolean => code === 32 || code === 45;
const isUmlaut = (code: number): boolean => 'ÄÖÜäöü'.includes(String.fromCharCode(code));
/** Letters of other scripts, as those written without spaces, may touch a plate. */
const isLatin = (code: number): boolean =>
  (code >= 0xc0 && code < 0x250) || (classOf(code) & (LETTER | DIGIT)) !== 0 || code === 95;

/** Start of the one to three letters, one of them an umlaut, that end before `joint`. */
function townBefore(text: string, bytes: Uint8Array, joint: number): number | undefined {
  let start = joint;
  let umlaut = false;
  for (; start > 0 && joint - start < TOWN_UNITS_MAX; start--) {
    if ((classAt(bytes, start - 1) & LETTER) !== 0) continue;
    if (bytes[start - 1] !== BEYOND_ASCII || !isUmlaut(codeAt(text, start - 1))) break;
    umlaut = true;
  }
  return umlaut ? start : undefined;
}

/** The same where the mark of one or two letters stands by itself between town and number. */
function markBefore(text: string, bytes: Uint8Array, joint: number): number | undefined {
  let start = joint;
  while (joint - start < MARK_UNITS_MAX && (classAt(bytes, start - 1) & LETTER) !== 0) start--;
  return start < joint && isJoint(byteAt(bytes, start - 1)) ? townBefore(text, bytes, start - 1) : undefined;
}
