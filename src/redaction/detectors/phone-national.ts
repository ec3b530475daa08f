import { byteAt, classAt, codeAt, DIGIT } from '../characters.ts';
import { readPhone } from './phone-candidates.ts';
import type { TokenDetector } from '../types.ts';

/** Philippine mobile numbers: +63 or 0, then 9 and nine digits. */
export const philippineMobileNumber: TokenDetector = {
  entity: 'PH_MOBILE_NUMBER',
  score: 0.6,
  lengthMin: 1,
  lengthMax: 15,
  opens: 'digit',
  digits: '06',
  context: ['mobile', 'cellphone', 'cell', 'phone', 'telepono', 'selpon', 'number', 'globe', 'smart', 'viber'],
  token(text, start, end, report, bytes) {
    // 09… or +639….
    const first = codeAt(text, start);
    if (first !== 48 && (first !== 54 || codeAt(text, start - 1) !== 43)) return;
    const reading = readPhone(text, bytes, start, end);
    if (reading === undefined) return;
    for (let at = 0; at < reading.size; at++) {
      const called = reading.plus
        ? reading.counts[at] === 12 && reading.firstDigits(0, 3) === 639
        : reading.counts[at] === 11 && reading.firstDigits(0, 2) === 9;
      if (called) report(reading.start, reading.ends[at] as number, reading.plus ? 0.8 : undefined);
    }
  },
};

/** Turkish numbers: +90 or 0 or nothing, an area code from 2 to 5, seven digits. */
export const turkishPhoneNumber: TokenDetector = {
  entity: 'TR_PHONE_NUMBER',
  score: 0.3,
  lengthMin: 1,
  lengthMax: 15,
  opens: 'digit',
  digits: '023459',
  context: ['telefon', 'tel', 'numara', 'phone', 'cep', 'mobile', 'gsm', 'mobil', 'iletişim', 'ara', 'fax', 'faks'],
  token(text, start, end, report, bytes) {
    // 0 and 2 to 5, or +90….
    const first = codeAt(text, start);
    if (first !== 48 && (first < 50 || first > 53) && (first !== 57 || codeAt(text, start - 1) !== 43)) return;
    const reading = readPhone(text, bytes, start, end);
    if (reading === undefined) return;
    if (!reading.plus && followsCountry(bytes, start)) return;
    const zero = first === 48;
    const area = reading.firstDigits(reading.plus ? 2 : zero ? 1 : 0, 1);
    if (area < 2 || area > 5 || (reading.plus && reading.firstDigits(0, 2) !== 90)) return;
    const count = reading.plus ? 12 : zero ? 11 : 10;
    for (let at = 0; at < reading.size; at++) {
      if (reading.counts[at] !== count) continue;
      const turkish = ((reading.layouts[at] as number) & 0xffff) === 0x3322;
      report(reading.start, reading.ends[at] as number, reading.plus ? 0.8 : turkish ? 0.6 : zero ? 0.4 : undefined);
    }
  },
};

/** The rest of another country's number, as in `+91 4155550132`. */
function followsCountry(bytes: Uint8Array, start: number): boolean {
  const joint = byteAt(bytes, start - 1);
  if (joint !== 32 && joint !== 45) return false;
  let at = start - 1;
  while (at > start - 4 && (classAt(bytes, at - 1) & DIGIT) !== 0) at--;
  return at < start - 1 && byteAt(bytes, at - 1) === 43;
}
