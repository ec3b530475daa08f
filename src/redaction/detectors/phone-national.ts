import { codeAt } from '../characters.ts';
import { readPhone } from './phone-candidates.ts';
import type { TokenDetector } from '../types.ts';

/** Philippine mobile numbers: +63 or 0, then 9 and nine digits. */
export const philippineMobileNumber: TokenDetector = {
  entity: 'PH_MOBILE_NUMBER',
  score: 0.6,
  lengthMin: 1,
  lengthMax: 15,
  context: ['mobile', 'cellphone', 'cell', 'phone', 'telepono', 'selpon', 'number', 'globe', 'smart', 'viber'],
  token(text, start, end, report, bytes) {
    // 09… or +639….
    const first = codeAt(text, start);
    if (first !== 48 && (first !== 54 || codeAt(text, start - 1) !== 43)) return;
    const reading = readPhone(text, bytes, start, end);
    if (reading === undefined) return;
    const pattern = reading.plus ? /^639\d{9}$/ : /^09\d{9}$/;
    for (let at = 0; at < reading.size; at++) {
      const count = reading.counts[at] as number;
      if (count >= 11 && count <= 12 && pattern.test(reading.digits(at)))
        report(reading.start, reading.ends[at] as number, reading.plus ? 0.8 : undefined);
    }
  },
};

/** Turkish numbers: +90 or 0 or nothing, an area code from 2 to 5, seven digits. */
export const turkishPhoneNumber: TokenDetector = {
  entity: 'TR_PHONE_NUMBER',
  score: 0.3,
  lengthMin: 1,
  lengthMax: 15,
  context: ['telefon', 'tel', 'numara', 'phone', 'cep', 'mobile', 'gsm', 'mobil', 'iletişim', 'ara', 'fax', 'faks'],
  token(text, start, end, report, bytes) {
    // 0 and 2 to 5, or +90….
    const first = codeAt(text, start);
    if (first !== 48 && (first < 50 || first > 53) && (first !== 57 || codeAt(text, start - 1) !== 43)) return;
    const reading = readPhone(text, bytes, start, end);
    if (reading === undefined) return;
    for (let at = 0; at < reading.size; at++) {
      const count = reading.counts[at] as number;
      if (count < 10 || count > 12) continue;
      const digits = reading.digits(at);
      if (reading.plus ? !/^90[2-5]\d{9}$/.test(digits) : !/^0?[2-5]\d{9}$/.test(digits)) continue;
      const turkish = ((reading.layouts[at] as number) & 0xffff) === 0x3322;
      report(
        reading.start,
        reading.ends[at] as number,
        reading.plus ? 0.8 : turkish ? 0.6 : digits.startsWith('0') ? 0.4 : undefined,
      );
    }
  },
};
