import { allSame, digit, luhn, numberOf, part, weighted } from '../check-digits.ts';
import { usStarredLicence } from '../detectors/starred-licence.ts';
import type { Pack, ShapeDetector } from '../types.ts';

const ADVERTISED = new Set([78_051_120, 219_099_999, 123_456_789]);

/** Social security number: no area 000, 666 or 9xx, no group 00, no serial 0000, none of the numbers once used in advertising. */
export const usSsn: ShapeDetector = {
  entity: 'US_SSN',
  score: 0.2,
  weak: 'together',
  shapes: ['999_99_9999', '9{9}', '999_999999', '99999_9999'],
  separators: '- .',
  context: ['ssn', 'social', 'security', 'ssns', 'ssid', 'taxpayer'],
  contextScore: 0.9,
  likely(bytes, start, end) {
    const number = numberOf(bytes, start, end);
    const area = Math.floor(number / 1_000_000);
    const [group, serial] = [Math.floor(number / 10_000) % 100, number % 10_000];
    if (area === 0 || area === 666 || area >= 900 || group === 0 || serial === 0 || ADVERTISED.has(number))
      return false;
    if (number % 111_111_111 === 0) return false;
    const length = end - start;
    return length === 11 ? (bytes[start + 3] === 45 ? 0.85 : 0.4) : length === 10 ? 0.2 : 0.1;
  },
};

/** Individual taxpayer number: 9xx, and a group the IRS assigns. */
export const usItin: ShapeDetector = {
  entity: 'US_ITIN',
  score: 0.7,
  weak: 'together',
  shapes: ['999_99_9999', '9{9}', '999_999999', '99999_9999'],
  separators: '- ',
  context: ['itin', 'taxpayer', 'individual', 'tax'],
  contextScore: 0.9,
  likely: (bytes, start) => bytes[start] === 57,
  check(compact, raw) {
    if (!compact.startsWith('9')) return false;
    const group = part(compact, 3, 5);
    const assigned =
      (group >= 50 && group <= 65) ||
      (group >= 70 && group <= 88) ||
      (group >= 90 && group <= 92) ||
      (group >= 94 && group <= 99);
    return assigned ? (raw.length === 11 ? 0.7 : 0.15) : false;
  },
};

export const usPassport: ShapeDetector = {
  entity: 'US_PASSPORT',
  score: 0.05,
  weak: 'always',
  shapes: ['9{9}', 'A9{8}'],
  context: ['passport', 'travel', 'passeport'],
  contextScore: 0.8,
  check: (compact) => (/^\d/.test(compact) ? !allSame(compact) : 0.2),
};

/** The states' layouts share everything from six digits up, so only a word beside it makes one likely. */
export const usDriverLicense: ShapeDetector = {
  entity: 'US_DRIVER_LICENSE',
  score: 0.01,
  weak: 'always',
  shapes: [
    '9{6}',
    '9{7}',
    '9{8}',
    '9{9}',
    '9{10}',
    '9{11}',
    '9{12}',
    '9{13}',
    '9{14}',
    '9{16}',
    'A9{4}',
    'A9{5}',
    'A9{6}',
    'A9{7}',
    'A9{8}',
    'A9{9}',
    'A9{10}',
    'A9{11}',
    'A9{12}',
    'A9{13}',
    'A9{14}',
    'A9{18}',
    'AA9{3}',
    'AA9{4}',
    'AA9{5}',
    'AA9{6}',
    'AA9{7}',
    'A9{6}A',
    'AA9{6}A',
    '99AAA99999',
    '99AAA999999',
    '9{7}A',
    '9{8}A',
    '9{9}A',
    '9{8}AA',
    '999AA9999',
    '999A999999',
    'A9A9A',
    'AAA9{6}',
    'A999_9999_9999',
    'A999_9999_9999_99',
    'A9999_99999_99999',
    'A99_999_999',
    '999_999_999',
    '99_999_9999',
    'A999_999_99_999_9',
  ],
  context: ['driver', 'license', 'licence', 'dl', 'driving', 'lic', 'dmv', 'permit', 'cdl'],
  contextScore: 0.75,
  check: (compact, raw) => (/^[A-Z]/i.test(compact) ? (raw.length === compact.length ? 0.1 : 0.2) : true),
};

/** Account numbers have no layout beyond 8 to 17 digits. */
export const usBankNumber: ShapeDetector = {
  entity: 'US_BANK_NUMBER',
  score: 0.05,
  weak: 'always',
  shapes: ['9{8}', '9{9}', '9{10}', '9{11}', '9{12}', '9{13}', '9{14}', '9{15}', '9{16}', '9{17}'],
  context: ['account', 'acct', 'bank', 'checking', 'savings', 'debit', 'deposit', 'acc'],
  contextScore: 0.7,
};

/** ABA routing number: a Federal Reserve prefix and the 3-7-1 check digit. */
export const abaRoutingNumber: ShapeDetector = {
  entity: 'ABA_ROUTING_NUMBER',
  score: 0.25,
  weak: 'together',
  shapes: ['9{9}', '9999_9999_9'],
  separators: '-',
  context: ['aba', 'routing', 'rtn', 'transit', 'wire', 'ach', 'bankrouting', 'abarouting'],
  contextScore: 0.9,
  check(compact, raw) {
    const district = part(compact, 0, 2);
    const known =
      district <= 12 || (district >= 21 && district <= 32) || (district >= 61 && district <= 72) || district === 80;
    return known && !allSame(compact) && weighted(compact, [3, 7, 1], 9) % 10 === 0
      ? raw.length > 9
        ? 0.6
        : 0.25
      : false;
  },
};

/** DEA registration: registrant letter, initial or 9, seven digits of which the last is a check. */
export const medicalLicense: ShapeDetector = {
  entity: 'MEDICAL_LICENSE',
  score: 0.6,
  shapes: ['AX9{7}'],
  context: ['dea', 'medical', 'prescriber', 'physician', 'certificate', 'license'],
  contextScore: 0.9,
  check(compact) {
    const seven = compact.slice(2);
    if (!/^[A-HJ-MPRSTUX][A-Z9]/.test(compact)) return false;
    return (weighted(seven, [1, 0, 1, 0, 1, 0]) + 2 * weighted(seven, [0, 1, 0, 1, 0, 1])) % 10 === digit(seven, 6);
  },
};

/** National provider identifier: 1 or 2, ten digits, Luhn with 80840 before it. */
export const usNpi: ShapeDetector = {
  entity: 'US_NPI',
  score: 0.3,
  weak: 'always',
  shapes: ['9{10}', '9999_999_999'],
  context: ['npi', 'provider', 'prescriber', 'physician', 'clinician', 'taxonomy'],
  contextScore: 0.9,
  check: (compact) => /^[12]/.test(compact) && !allSame(compact) && luhn(`80840${compact}`),
};

/** Medicare beneficiary identifier (CMS layout: no S, L, O, I, B, Z). */
export const usMbi: ShapeDetector = {
  entity: 'US_MBI',
  score: 0.7,
  shapes: ['9AX9AX9AA99', '9AX9_AX9_AA99'],
  context: ['mbi', 'medicare', 'beneficiary', 'cms', 'hic', 'hicn'],
  contextScore: 0.95,
  check: (compact) =>
    /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]{2}\d\d$/.test(
      compact,
    ),
};

/** Employer identification number, written 12-3456789. */
export const usEin: ShapeDetector = {
  entity: 'US_EIN',
  score: 0.3,
  weak: 'always',
  shapes: ['99_9{7}'],
  separators: '-',
  context: ['ein', 'fein', 'employer'],
  contextScore: 0.85,
  check: (compact) => !/^(?:0[07-9]|[12789][789]|49|69|70)/.test(compact),
};

export const us: Pack = [
  usSsn,
  usItin,
  usPassport,
  usDriverLicense,
  usStarredLicence,
  usBankNumber,
  abaRoutingNumber,
  medicalLicense,
  usNpi,
  usMbi,
  usEin,
];
