import { CLASSES, codeAt, DIGIT, LETTER } from '../characters.ts';
import type { TokenDetector } from '../types.ts';

/** Length by country: SWIFT IBAN registry, release 99 (December 2024), and the partial list of countries outside it. */
const LENGTHS =
  'NO15 BE16 BI27 DK18 FI18 FO18 GL18 NL18 FK18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 MN20 CR22 HR21 ' +
  'LI21 LV21 CH21 BG22 BH22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 TL23 OM23 SO23 AD24 CZ24 DZ26 ES24 ' +
  'MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 AO25 CV25 MZ25 IR26 IS26 TR26 DJ27 FR27 GR27 IT27 MC27 ' +
  'MR27 SM27 CF27 CG27 CM27 GA27 GQ27 KM27 TD27 MG27 AL28 AZ28 BY28 CY28 DO28 GT28 HN28 HU28 LB28 NI28 PL28 SV28 ' +
  'BF28 BJ28 CI28 ML28 MA28 NE28 SN28 TG28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33';
const KINDS = 26;
/** Length by the two letters; 0 where no country has IBANs. */
const BY_COUNTRY = new Uint8Array(KINDS * KINDS);
for (const entry of LENGTHS.split(' '))
  BY_COUNTRY[countryOf(codeAt(entry, 0), codeAt(entry, 1))] = Number(entry.slice(2));

function countryOf(first: number, second: number): number {
  return ((first & 31) - 1) * KINDS + (second & 31) - 1;
}

/** IBAN, together or in groups, with its country's length and the mod 97 check. */
export const ibanCode: TokenDetector = {
  entity: 'IBAN_CODE',
  score: 0.95,
  lengthMin: 4,
  lengthMax: 34,
  opens: 'letter',
  token(text, start, end, report, bytes) {
    // Two letters and two digits.
    if (end - start < 4 || !isLetter(bytes[start] as number) || !isLetter(bytes[start + 1] as number)) return;
    if (!isDigit(bytes[start + 2] as number) || !isDigit(bytes[start + 3] as number)) return;
    const length = BY_COUNTRY[countryOf(bytes[start] as number, bytes[start + 1] as number)] as number;
    if (length === 0) return;
    const before = start > 0 ? bytes[start - 1] : 0;
    if (before === 95 || before === 64) return;
    const stop = collect(text, bytes, start, length);
    if (stop > 0 && isChecked(bytes, start, stop)) report(start, stop);
  },
};

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean => ((CLASSES[code] as number) & LETTER) !== 0;
const isWord = (code: number): boolean => ((CLASSES[code] as number) & (DIGIT | LETTER)) !== 0;

/** Walks `length` letters and digits, single spaces or hyphens between groups of at least two; -1 when it cannot end there. */
function collect(text: string, bytes: Uint8Array, start: number, length: number): number {
  let count = 0;
  let index = start;
  let group = 0;
  let digits = 0;
  let lettersInARow = 0;
  while (count < length) {
    const code = bytes[index] as number;
    if (isWord(code)) {
      count++;
      group++;
      if (isDigit(code)) digits++;
      index++;
      continue;
    }
    if ((code !== 32 && code !== 45 && codeAt(text, index) !== 0xa0) || group < 2) return -1;
    // Groups of letters alone are short and few; words of a sentence are not an IBAN, and a stream does not wait for them.
    lettersInARow = digits === 0 ? lettersInARow + 1 : 0;
    if (digits === 0 && (group > 4 || lettersInARow > 2)) return -1;
    group = 0;
    digits = 0;
    index++;
    if (!isWord(bytes[index] as number)) return -1;
  }
  return isWord(bytes[index] as number) || bytes[index] === 95 ? -1 : index;
}

/** ISO 7064 mod 97-10 with the first four, which have no separator among them, moved to the end. */
function isChecked(bytes: Uint8Array, start: number, end: number): boolean {
  return rest97(bytes, start, start + 4, rest97(bytes, start + 4, end, 0)) === 1;
}

function rest97(bytes: Uint8Array, start: number, end: number, before: number): number {
  let rest = before;
  for (let index = start; index < end; index++) {
    const code = bytes[index] as number;
    if (isDigit(code)) rest = (rest * 10 + code - 48) % 97;
    else if (isLetter(code)) rest = (rest * 100 + (code & 31) + 9) % 97;
  }
  return rest;
}
