import { digit, isDate, part, weighted } from '../check-digits.ts';
import type { Pack, ShapeDetector } from '../types.ts';

const RRN_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];

/** Birth date, then the digit for century and sex from `least` to three more. Numbers given since October 2020 have no check digit. */
function registration(compact: string, raw: string, least: number, shift: number): number | false {
  const sex = digit(compact, 6);
  const century = sex === 9 || sex === 0 ? 1800 : [1, 2, 5, 6].includes(sex) ? 1900 : 2000;
  if (
    sex < least ||
    sex > least + 3 ||
    !isDate(century + part(compact, 0, 2), part(compact, 2, 4), part(compact, 4, 6))
  )
    return false;
  const check = (11 - (weighted(compact, RRN_WEIGHTS) % 11) + shift) % 10;
  return check === digit(compact, 12) ? 0.85 : raw.includes('-') ? 0.6 : 0.3;
}

const RRN_SHAPES = ['9{6}_9{7}', '9{13}'];

export const krRrn: ShapeDetector = {
  entity: 'KR_RRN',
  score: 0.6,
  shapes: RRN_SHAPES,
  separators: '-',
  context: ['rrn', 'korean', '주민등록', '주민', 'resident'],
  contextScore: 0.95,
  check: (compact, raw) => registration(compact, raw, 1, 0),
};

/** Of foreigners: as the resident number, with 5 to 8. */
export const krFrn: ShapeDetector = {
  entity: 'KR_FRN',
  score: 0.6,
  shapes: RRN_SHAPES,
  separators: '-',
  context: ['frn', 'foreigner', 'alien', '외국인', '외국인등록'],
  contextScore: 0.95,
  check: (compact, raw) => registration(compact, raw, 5, 2),
};

export const krPassport: ShapeDetector = {
  entity: 'KR_PASSPORT',
  score: 0.2,
  weak: 'always',
  shapes: ['A9{8}', 'A999A9999'],
  context: ['passport', '여권', 'korean'],
  contextScore: 0.85,
  check: (compact) =>
    /^[MSRODG]\d{8}$/.test(compact) ? 0.15 : /^[MSRODG]\d{3}[A-Z]\d{4}$/.test(compact) ? 0.4 : false,
};

/** Licence: region 11 to 28, year, six digits, two more. */
export const krDriverLicense: ShapeDetector = {
  entity: 'KR_DRIVER_LICENSE',
  score: 0.4,
  weak: 'together',
  shapes: ['9{12}', '99_99_9{6}_99'],
  separators: '-',
  context: ['license', 'licence', 'driver', '운전면허', '면허'],
  contextScore: 0.85,
  check(compact, raw) {
    const region = part(compact, 0, 2);
    return region >= 11 && region <= 28 ? (raw.length > 12 ? 0.6 : 0.05) : false;
  },
};

/** Business registration: tax office (from 101), kind, serial, check digit. */
export const krBrn: ShapeDetector = {
  entity: 'KR_BRN',
  score: 0.4,
  weak: 'together',
  shapes: ['9{10}', '999_99_99999'],
  separators: '-',
  context: ['brn', '사업자등록', '사업자', 'business'],
  contextScore: 0.9,
  check(compact, raw) {
    if (part(compact, 0, 3) < 101) return false;
    const sum = weighted(compact, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((digit(compact, 8) * 5) / 10);
    return (10 - (sum % 10)) % 10 === digit(compact, 9) ? (raw.length > 10 ? 0.7 : 0.2) : false;
  },
};

export const kr: Pack = [krRrn, krFrn, krPassport, krDriverLicense, krBrn];
