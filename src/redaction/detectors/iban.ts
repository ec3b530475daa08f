import { classOf, codeAt, DIGIT, LETTER } from '../characters.ts';
import { mod97 } from '../check-digits.ts';
import type { TokenDetector } from '../types.ts';

/** Length by country: SWIFT IBAN registry, release 99 (December 2024), and the partial list of countries outside it. */
const LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'NO15 BE16 BI27 DK18 FI18 FO18 GL18 NL18 FK18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 MN20 CR22 HR21 ' +
    'LI21 LV21 CH21 BG22 BH22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 TL23 OM23 SO23 AD24 CZ24 DZ26 ES24 ' +
    'MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 AO25 CV25 MZ25 IR26 IS26 TR26 DJ27 FR27 GR27 IT27 MC27 ' +
    'MR27 SM27 CF27 CG27 CM27 GA27 GQ27 KM27 TD27 MG27 AL28 AZ28 BY28 CY28 DO28 GT28 HN28 HU28 LB28 NI28 PL28 SV28 ' +
    'BF28 BJ28 CI28 ML28 MA28 NE28 SN28 TG28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** IBAN, together or in groups, with its country's length and the mod 97 check. */
export const ibanCode: TokenDetector = {
  entity: 'IBAN_CODE',
  score: 0.95,
  lengthMin: 4,
  lengthMax: 34,
  token(text, start, _end, report) {
    if (isDigit(text, start) || !isDigit(text, start + 2) || !isDigit(text, start + 3)) return;
    const length = LENGTHS[text.slice(start, start + 2).toUpperCase()];
    if (length === undefined) return;
    const before = codeAt(text, start - 1);
    if (before === 95 || before === 64) return;
    const end = collect(text, start, length);
    if (end < 0) return;
    const compact = text
      .slice(start, end)
      .replace(/[^0-9A-Za-z]/g, '')
      .toUpperCase();
    if (compact.length === length && mod97(compact.slice(4) + compact.slice(0, 4)) === 1) report(start, end);
  },
};

const isDigit = (text: string, index: number): boolean => (classOf(codeAt(text, index)) & DIGIT) !== 0;
const isWord = (text: string, index: number): boolean => (classOf(codeAt(text, index)) & (DIGIT | LETTER)) !== 0;

/** Walks `length` letters and digits, single spaces or hyphens between groups of at least two; -1 when it cannot end there. */
function collect(text: string, start: number, length: number): number {
  let count = 0;
  let index = start;
  let group = 0;
  let digits = 0;
  let lettersInARow = 0;
  while (count < length) {
    if (isWord(text, index)) {
      count++;
      group++;
      if (isDigit(text, index)) digits++;
      index++;
      continue;
    }
    const code = codeAt(text, index);
    if ((code !== 32 && code !== 45 && code !== 0xa0) || group < 2) return -1;
    // Groups of letters alone are short and few; words of a sentence are not an IBAN, and a stream does not wait for them.
    lettersInARow = digits === 0 ? lettersInARow + 1 : 0;
    if (digits === 0 && (group > 4 || lettersInARow > 2)) return -1;
    group = 0;
    digits = 0;
    index++;
    if (!isWord(text, index)) return -1;
  }
  return isWord(text, index) || codeAt(text, index) === 95 ? -1 : index;
}
