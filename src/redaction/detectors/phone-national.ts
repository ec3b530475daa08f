import { phoneCandidates } from './phone-candidates.ts';
import type { TokenDetector } from '../types.ts';

/** Philippine mobile numbers: +63 or 0, then 9 and nine digits. */
export const philippineMobileNumber: TokenDetector = {
  entity: 'PH_MOBILE_NUMBER',
  score: 0.6,
  lengthMin: 1,
  lengthMax: 15,
  context: ['mobile', 'cellphone', 'cell', 'phone', 'telepono', 'selpon', 'number', 'globe', 'smart', 'viber'],
  token(text, start, end, report) {
    for (const candidate of phoneCandidates(text, start, end)) {
      const pattern = candidate.international ? /^639\d{9}$/ : /^09\d{9}$/;
      if (pattern.test(candidate.digits))
        report(candidate.start, candidate.end, candidate.international ? 0.8 : undefined);
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
  token(text, start, end, report) {
    for (const candidate of phoneCandidates(text, start, end)) {
      const { digits, international, groups } = candidate;
      if (international ? !/^90[2-5]\d{9}$/.test(digits) : !/^0?[2-5]\d{9}$/.test(digits)) continue;
      const turkish = groups.slice(-4).join('-') === '3-3-2-2';
      report(
        candidate.start,
        candidate.end,
        international ? 0.8 : turkish ? 0.6 : digits.startsWith('0') ? 0.4 : undefined,
      );
    }
  },
};
