/**
 * Digits after the country code, least and most, by ITU-T E.164 country code. From the numbering plans as listed by the
 * ITU (https://www.itu.int/oth/T0202.aspx, read 2026-11); countries left out may have 5 to 11.
 */
const LENGTHS: Readonly<Record<string, readonly [number, number]>> = {
  '1': [10, 10],
  '7': [10, 10],
  '20': [8, 10],
  '27': [9, 9],
  '30': [10, 10],
  '31': [9, 9],
  '32': [8, 9],
  '33': [9, 9],
  '34': [9, 9],
  '36': [8, 9],
  '39': [6, 11],
  '40': [9, 9],
  '41': [9, 9],
  '43': [4, 13],
  '44': [9, 10],
  '45': [8, 8],
  '46': [7, 10],
  '47': [8, 8],
  '48': [9, 9],
  '49': [5, 12],
  '51': [8, 9],
  '52': [10, 11],
  '53': [6, 8],
  '54': [10, 11],
  '55': [10, 11],
  '56': [8, 9],
  '57': [8, 10],
  '58': [10, 10],
  '60': [7, 10],
  '61': [9, 9],
  '62': [7, 12],
  '63': [8, 10],
  '64': [8, 10],
  '65': [8, 8],
  '66': [8, 9],
  '81': [9, 10],
  '82': [8, 10],
  '84': [9, 10],
  '86': [10, 11],
  '90': [10, 10],
  '91': [10, 10],
  '92': [9, 10],
  '93': [9, 9],
  '94': [9, 9],
  '95': [7, 10],
  '98': [10, 10],
  '351': [9, 9],
  '352': [4, 11],
  '353': [7, 9],
  '358': [6, 11],
  '371': [8, 8],
  '372': [7, 8],
  '380': [9, 9],
  '420': [9, 9],
  '421': [9, 9],
  '852': [8, 8],
  '971': [8, 9],
  '972': [8, 9],
  '234': [8, 10],
  '254': [9, 9],
};
const OTHERS: readonly [number, number] = [5, 11];

/** What is known by the three digits a number begins with: length of the country code, least and most digits after it. */
const BY_DIGITS = new Uint8Array(3000);
for (let three = 100; three < 1000; three++) {
  const digits = String(three);
  const length = codeLength(digits);
  const [least, most] = LENGTHS[digits.slice(0, length)] ?? OTHERS;
  BY_DIGITS.set([length, least, most], three * 3);
}

function codeLength(digits: string): number {
  if (digits.startsWith('1') || digits.startsWith('7')) return 1;
  if (LENGTHS[digits.slice(0, 2)] !== undefined) return 2;
  return /^(?:2[1-9]|3[578]|42|5[09]|6[789]|8[0578]|9[679])/.test(digits) ? 3 : 0;
}

/** By the first three digits as a number: one, two or three; 0 when no country is called so. */
export const countryCodeLength = (three: number): number => BY_DIGITS[three * 3] as number;
export const nationalLeast = (three: number): number => BY_DIGITS[three * 3 + 1] as number;
export const nationalMost = (three: number): number => BY_DIGITS[three * 3 + 2] as number;
