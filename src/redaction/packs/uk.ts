import { allSame, digit, part, weighted, weightedBytes } from '../check-digits.ts';
import type { Pack, ShapeDetector } from '../types.ts';

const NHS_WEIGHTS = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

/** NHS number: ten digits, weights 10 to 2, modulo 11. */
export const ukNhs: ShapeDetector = {
  entity: 'UK_NHS',
  score: 0.4,
  weak: 'together',
  shapes: ['9{10}', '999_999_9999'],
  context: ['nhs', 'health', 'patient', 'national'],
  contextScore: 0.9,
  // With its check digit the sum is a multiple of 11.
  likely: (bytes, start, end) => weightedBytes(bytes, start, end, NHS_WEIGHTS) % 11 === 0,
  check(compact, raw) {
    const rest = 11 - (weighted(compact, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
    return !allSame(compact) && (rest === 11 ? 0 : rest) === digit(compact, 9)
      ? raw.includes(' ')
        ? 0.6
        : 0.4
      : false;
  },
};

/** National insurance number (HMRC NIM39110). */
export const ukNino: ShapeDetector = {
  entity: 'UK_NINO',
  score: 0.7,
  shapes: [
    'AA9{6}A',
    'AA_99_99_99_A',
    'AA_9{6}A',
    'AA_9{6}_A',
    'AA9{6}_A',
    'AA_99_99_99A',
    'AA99_99_99A',
    'AA_999999_A',
  ],
  context: ['insurance', 'nino', 'ni', 'national'],
  contextScore: 0.9,
  check: (compact) => /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(compact),
};

const OUTWARD = /^(?:GIR|(?:[A-PR-UWYZ](?:\d[\dA-HJKPSTUW]?|[A-HK-Y]\d[\dABEHMNPRVWXY]?)))$/;

/** Postcode (Royal Mail's layout rules). */
export const ukPostcode: ShapeDetector = {
  entity: 'UK_POSTCODE',
  score: 0.4,
  weak: 'together',
  shapes: [
    'A9_9AA',
    'A99_9AA',
    'A9A_9AA',
    'AA9_9AA',
    'AA99_9AA',
    'AA9A_9AA',
    'AAA_9AA',
    'A99AA',
    'A999AA',
    'A9A9AA',
    'AA99AA',
    'AA999AA',
    'AA9A9AA',
    'AAA9AA',
  ],
  separators: ' ',
  context: ['postcode', 'address', 'post', 'live', 'lives', 'street', 'road', 'london', 'uk', 'code', 'avenue', 'lane'],
  contextScore: 0.7,
  check(compact, raw) {
    const outward = compact.slice(0, -3);
    if (outward === 'GIR' ? !compact.endsWith('0AA') : !OUTWARD.test(outward)) return false;
    return !/[ABD-HJLNP-UW-Z]{2}$/.test(compact) ? false : raw.includes(' ') ? 0.5 : 0.15;
  },
};

/** Passport: two letters and seven digits since 2015; nine digits before, which only context tells apart. */
export const ukPassport: ShapeDetector = {
  entity: 'UK_PASSPORT',
  score: 0.1,
  weak: 'always',
  shapes: ['AA9{7}'],
  context: ['passport', 'travel', 'hmpo'],
  contextScore: 0.8,
};

/** Driver number (DVLA): five of surname, decade, month (+50), day, year, initials, tie-breakers. */
export const ukDrivingLicence: ShapeDetector = {
  entity: 'UK_DRIVING_LICENCE',
  score: 0.8,
  shapes: [
    'AAAAA9{6}AX9AA',
    'AAAA99{6}AX9AA',
    'AAA999{6}AX9AA',
    'AA9999{6}AX9AA',
    'AAAAA9{6}AXXAA',
    'AAAA99{6}AXXAA',
    'AAAAA9{6}99XAA',
  ],
  context: ['driving', 'licence', 'license', 'driver', 'dvla'],
  contextScore: 0.95,
  check(compact) {
    if (!/^[A-Z]{1,5}9{0,4}\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}$/.test(compact) || !/^[A-Z9]{5}/.test(compact)) return false;
    const month = part(compact, 6, 8) % 50;
    const day = part(compact, 8, 10);
    return part(compact, 6, 8) < 63 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  },
};

/** Registration marks: current (2001), prefix (1983) and suffix (1963) styles. */
export const ukVehicleRegistration: ShapeDetector = {
  entity: 'UK_VEHICLE_REGISTRATION',
  score: 0.3,
  weak: 'always',
  shapes: [
    'AA99AAA',
    'AA99_AAA',
    'A9AAA',
    'A9_AAA',
    'A99AAA',
    'A99_AAA',
    'A999AAA',
    'A999_AAA',
    'AAA9A',
    'AAA_9A',
    'AAA99A',
    'AAA_99A',
    'AAA999A',
    'AAA_999A',
  ],
  context: ['registration', 'vehicle', 'car', 'plate', 'van', 'reg', 'dvla', 'mot'],
  contextScore: 0.8,
  check(compact) {
    if (/^[A-Z]{2}\d\d/.test(compact)) {
      const age = part(compact, 2, 4);
      return /^[A-HJ-PR-Y]{2}\d\d[A-HJ-PR-Z]{3}$/.test(compact) && ((age >= 2 && age <= 29) || (age >= 51 && age <= 79))
        ? 0.4
        : false;
    }
    return /^(?:[A-HJ-NPR-TV-Y][1-9]\d{0,2}[A-HJ-PR-Y]{3}|[A-HJ-PR-Y]{3}[1-9]\d{0,2}[A-HJ-NPR-TV-Y])$/.test(compact)
      ? 0.2
      : false;
  },
};

export const uk: Pack = [ukNhs, ukNino, ukPostcode, ukPassport, ukDrivingLicence, ukVehicleRegistration];
