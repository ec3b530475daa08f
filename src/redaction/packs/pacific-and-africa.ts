import { allSame, digit, isDate, luhn, part, verhoeff, weighted, weightedBytes } from '../check-digits.ts';
import type { Pack, ShapeDetector } from '../types.ts';

const ABN_WEIGHTS = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];

/** Business number: eleven digits, one taken from the first, weights of the ATO, modulo 89. */
export const auAbn: ShapeDetector = {
  entity: 'AU_ABN',
  score: 0.4,
  weak: 'together',
  shapes: ['9{11}', '99_999_999_999'],
  separators: ' -',
  context: ['abn', 'australian', 'business'],
  contextScore: 0.95,
  likely: (bytes, start, end) => (weightedBytes(bytes, start, end, ABN_WEIGHTS) - 10) % 89 === 0,
  check: (compact, raw) =>
    digit(compact, 0) > 0 && (weighted(compact, ABN_WEIGHTS) - 10) % 89 === 0 ? (raw.length > 11 ? 0.8 : 0.4) : false,
};

export const auAcn: ShapeDetector = {
  entity: 'AU_ACN',
  score: 0.25,
  weak: 'always',
  shapes: ['9{9}', '999_999_999'],
  separators: ' -',
  context: ['acn', 'australian', 'company'],
  contextScore: 0.95,
  check: (compact) =>
    !allSame(compact) && (10 - (weighted(compact, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digit(compact, 8),
};

export const auTfn: ShapeDetector = {
  entity: 'AU_TFN',
  score: 0.25,
  weak: 'always',
  shapes: ['9{9}', '999_999_999'],
  separators: ' -',
  context: ['tfn', 'tax', 'file', 'ato'],
  contextScore: 0.9,
  check: (compact) => !allSame(compact) && weighted(compact, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
};

/** Medicare card: first digit 2 to 6, check digit at place nine, issue number. */
export const auMedicare: ShapeDetector = {
  entity: 'AU_MEDICARE',
  score: 0.3,
  weak: 'together',
  shapes: ['9{10}', '9999_99999_9', '9{11}', '9999_99999_9_9'],
  separators: ' -',
  context: ['medicare', 'irn'],
  contextScore: 0.95,
  check: (compact, raw) =>
    /^[2-6]/.test(compact) && weighted(compact, [1, 3, 7, 9], 8) % 10 === digit(compact, 8)
      ? raw.includes(' ')
        ? 0.7
        : 0.2
      : false,
};

export const au: Pack = [auAbn, auAcn, auTfn, auMedicare];

/** IRD number of New Zealand: eight or nine digits, modulo 11 with a second set of weights. */
export const nzIrd: ShapeDetector = {
  entity: 'NZ_IRD',
  score: 0.15,
  weak: 'always',
  shapes: ['9{8}', '9{9}', '99_999_999', '999_999_999'],
  separators: '- ',
  context: ['ird', 'inland'],
  contextScore: 0.9,
  check(compact) {
    const nine = compact.padStart(9, '0');
    const value = Number(compact);
    if (value < 10_000_000 || value > 150_000_000) return false;
    const key = (weights: readonly number[]): number => (11 - (weighted(nine, weights) % 11)) % 11;
    const first = key([3, 2, 7, 6, 5, 4, 3, 2]);
    return (first === 10 ? key([7, 4, 3, 2, 5, 2, 7, 6]) : first) === digit(nine, 8);
  },
};

export const nz: Pack = [nzIrd];

/** South African identity number: birth date, serial, citizenship 0 to 2, 8 or 9, Luhn. */
export const zaIdNumber: ShapeDetector = {
  entity: 'ZA_ID_NUMBER',
  score: 0.7,
  shapes: ['9{13}', '9{6}_9999_999'],
  context: ['rsa', 'african', 'id', 'identity', 'refugee', 'resident'],
  contextScore: 0.95,
  check(compact) {
    const [month, day] = [part(compact, 2, 4), part(compact, 4, 6)];
    const year = part(compact, 0, 2);
    const dated = isDate(1900 + year, month, day) || isDate(2000 + year, month, day);
    return dated && /^[012]\d/.test(compact.slice(10)) && luhn(compact);
  },
};

export const za: Pack = [zaIdNumber];

export const ngNin: ShapeDetector = {
  entity: 'NG_NIN',
  score: 0.4,
  weak: 'always',
  shapes: ['9{11}'],
  context: ['nin', 'nimc', 'nigerian', 'nigeria', 'national'],
  contextScore: 0.9,
  check: (compact) => /^[1-9]/.test(compact) && !allSame(compact) && verhoeff(compact),
};

export const ngVehicleRegistration: ShapeDetector = {
  entity: 'NG_VEHICLE_REGISTRATION',
  score: 0.4,
  weak: 'always',
  shapes: ['AAA999AA', 'AAA_999AA', 'AAA_999_AA'],
  context: ['plate', 'vehicle', 'registration', 'frsc', 'car'],
  contextScore: 0.8,
};

export const ng: Pack = [ngNin, ngVehicleRegistration];
