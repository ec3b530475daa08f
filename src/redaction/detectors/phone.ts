import { countryCodeLength, nationalLengths } from './phone-countries.ts';
import { type PhoneCandidate, phoneCandidates } from './phone-candidates.ts';
import type { TokenDetector } from '../types.ts';

/**
 * Telephone numbers: E.164 with the length of its country, the North American plan, and other national ways of writing
 * that need a word like "call" beside them unless they are grouped like a number that begins with its trunk 0.
 */
export const phoneNumber: TokenDetector = {
  entity: 'PHONE_NUMBER',
  score: 0.4,
  lengthMin: 1,
  lengthMax: 15,
  context: [
    'phone',
    'telephone',
    'tel',
    'mobile',
    'cell',
    'cellphone',
    'call',
    'dial',
    'ring',
    'fax',
    'desk',
    'office',
    'whatsapp',
    'sms',
    'texting',
    'answering',
    'reach',
    'handy',
    'telefon',
    'telefono',
    'teléfono',
    'telefone',
    'téléphone',
    'portable',
    'numer',
    'hotline',
    'landline',
    'contact',
    'pager',
    'mob',
    'ph',
  ],
  contextScore: 0.75,
  token(text, start, end, report) {
    let best: PhoneCandidate | undefined;
    let score = 0;
    for (const candidate of phoneCandidates(text, start, end)) {
      const value = scoreOf(candidate);
      if (value > 0 && value >= score) {
        best = candidate;
        score = value;
      }
    }
    if (best === undefined) return;
    const spoken =
      score < 0.75 &&
      /^[ ,-]{1,2}(?:office|fax|mobile|cell|phone|home|work|desk|tel|landline)\b/i.test(
        text.slice(best.end, best.end + 12),
      );
    report(best.start, best.end, spoken ? 0.75 : score);
  },
};

/** 0 when it cannot be one. */
function scoreOf({ digits, groups, international, parenthesised, extension, separators }: PhoneCandidate): number {
  if (international) {
    const code = countryCodeLength(digits);
    if (code === 0) return 0;
    const [least, most] = nationalLengths(digits.slice(0, code));
    const national = digits.slice(code);
    const length =
      national.startsWith('0') && !(code === 1 && digits.startsWith('1')) && !digits.startsWith('39')
        ? national.length - 1
        : national.length;
    return length >= least && length <= most ? 0.8 : 0;
  }
  const layout = groups.join('-');
  if (layout === '3-3-4') {
    const strict = /^[2-9]\d\d[2-9]/.test(digits) && !/^(?:.)11|555$/.test(digits.slice(0, 3));
    return strict || parenthesised || extension ? (separators.includes('/') ? 0.4 : 0.7) : 0.45;
  }
  if (layout === '1-3-3-4' && digits.startsWith('1')) return 0.75;
  if (layout === '3-3-3-4' && digits.startsWith('001')) return 0.75;
  if (parenthesised) return digits.length >= 8 && digits.length <= 12 ? 0.6 : 0;
  if (layout === '2-3-3-4') return 0.5;
  if (groups.length === 1)
    return digits.length < 7 || digits.length > 12
      ? 0
      : digits.startsWith('0') && digits.length >= 10 && digits.length < 12
        ? 0.3
        : 0.15;
  if (digits.length < 7 || digits.length > 12) return 0;
  if (digits.startsWith('0') && digits.length >= 9 && groups.length >= 3 && groups.length <= 5) return 0.5;
  return groups.length <= 6 && groups.every((group) => group > 1) ? 0.3 : 0;
}
