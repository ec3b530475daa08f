import { allSame, digit, letterValue, part, verhoeffBytes, weighted } from '../check-digits.ts';
import { philippineMobileNumber, turkishPhoneNumber } from '../detectors/phone-national.ts';
import type { Pack, ShapeDetector } from '../types.ts';

/** Aadhaar: twelve digits, not starting with 0 or 1, not a palindrome, Verhoeff. */
export const inAadhaar: ShapeDetector = {
  entity: 'IN_AADHAAR',
  score: 0.6,
  shapes: ['9{12}', '9999_9999_9999'],
  separators: ' -:',
  context: ['aadhaar', 'aadhar', 'uidai', 'uid'],
  contextScore: 0.95,
  likely(bytes, start, end) {
    if ((bytes[start] as number) < 50 || !verhoeffBytes(bytes, start, end) || isMirrored(bytes, start, end))
      return false;
    return end - start > 12 ? 0.8 : 0.5;
  },
};

/** The layouts are mirrored, so the separators are in the way of nothing. */
function isMirrored(bytes: Uint8Array, start: number, end: number): boolean {
  for (let left = start, right = end - 1; left < right; left++, right--) if (bytes[left] !== bytes[right]) return false;
  return true;
}

/** Permanent account number: three letters, kind of holder, initial, four digits, letter. */
export const inPan: ShapeDetector = {
  entity: 'IN_PAN',
  score: 0.7,
  shapes: ['AAAAA9999A'],
  context: ['pan', 'permanent', 'account', 'income', 'tax'],
  contextScore: 0.95,
  check: (compact) => (/^[A-Z]{3}[ABCFGHJLPT]/.test(compact) ? 0.75 : 0.4),
};

const BASE36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** GSTIN: state, PAN, entity, Z, check character (base 36 Luhn). */
export const inGstin: ShapeDetector = {
  entity: 'IN_GSTIN',
  score: 0.7,
  shapes: ['99AAAAA9999AXAX'],
  context: ['gstin', 'gst', 'registration'],
  contextScore: 0.95,
  check(compact) {
    const state = part(compact, 0, 2);
    if (state < 1 || state > 37 || !/^\d\d[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/.test(compact)) return false;
    let sum = 0;
    for (let index = 0; index < 14; index++) {
      const product = letterValue(compact, index) * ((index % 2) + 1);
      sum += Math.floor(product / 36) + (product % 36);
    }
    return BASE36.charAt((36 - (sum % 36)) % 36) === compact.charAt(14) ? 0.95 : 0.6;
  },
};

export const inPassport: ShapeDetector = {
  entity: 'IN_PASSPORT',
  score: 0.1,
  weak: 'always',
  shapes: ['A9{7}', 'A9_99999'],
  context: ['passport', 'travel'],
  contextScore: 0.8,
  check: (compact) => /^[A-Z][1-9]\d{5}[1-9]$/.test(compact),
};

const STATES =
  /^(?:AN|AP|AR|AS|BR|BH|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TN|TR|TS|TG|UA|UK|UP|WB)/;

/** Registration marks: state, district, series, number; older and military ones are shorter. */
export const inVehicleRegistration: ShapeDetector = {
  entity: 'IN_VEHICLE_REGISTRATION',
  score: 0.2,
  shapes: [
    'AA99A9999',
    'AA99AA9999',
    'AA99AAA9999',
    'AA9AA9999',
    'AA9A9999',
    'AA9AAA9999',
    'AA_99_AA_9999',
    'AA_99_A_9999',
    'AA99_AA_9999',
    'AA9999',
    'A99999',
    'A9999',
    '99AA9999AA',
    '99AA9999A',
  ],
  context: ['vehicle', 'registration', 'rto', 'plate', 'car', 'number'],
  contextScore: 0.75,
  check(compact) {
    if (/^\d/.test(compact)) return /^\d\dBH/.test(compact) ? 0.6 : false;
    if (compact.length >= 8) return STATES.test(compact) && !compact.endsWith('0000') ? 0.6 : false;
    return compact.endsWith('0000') ? false : 0.05;
  },
};

export const inVoter: ShapeDetector = {
  entity: 'IN_VOTER',
  score: 0.4,
  weak: 'always',
  shapes: ['AAA9{7}'],
  context: ['voter', 'epic', 'elector', 'vote', 'election'],
  contextScore: 0.9,
};

/** The pack of India (`in` is a word of the language). */
export const india: Pack = [inAadhaar, inPan, inGstin, inPassport, inVehicleRegistration, inVoter];

const NRIC_WEIGHTS = [2, 7, 6, 5, 4, 3, 2];

/** NRIC and FIN: check letter by series. */
export const sgNricFin: ShapeDetector = {
  entity: 'SG_NRIC_FIN',
  score: 0.3,
  shapes: ['A9{7}A'],
  context: ['nric', 'fin', 'identity', 'singapore', 'ic'],
  contextScore: 0.9,
  check(compact) {
    const series = compact.charAt(0);
    if (!'STFGM'.includes(series)) return false;
    const shift = series === 'T' || series === 'G' ? 4 : series === 'M' ? 3 : 0;
    const rest = (weighted(compact.slice(1), NRIC_WEIGHTS) + shift) % 11;
    const letters = 'ST'.includes(series) ? 'JZIHGFEDCBA' : series === 'M' ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK';
    const letter = series === 'M' ? letters.charAt(10 - rest) : letters.charAt(rest);
    return letter === compact.charAt(8) ? 0.85 : 0.3;
  },
};

const UEN_KINDS =
  'LP LL FC PF RF MQ MM NB CC CS MB FM GS DP CP NR CM CD MD HS VH CH MH CL XL CX HC RP TU TC FB FN PA PB SS MC SM GA GB'.split(
    ' ',
  );

const UEN_UNITS = 'ABCDEFGHJKLMNPQRSTUVWX0123456789';

/** Check letter by form: eight digits, nine digits that begin with the year, kinds of other entities (uen.gov.sg). */
function uenLetter(compact: string): string {
  if (compact.length === 9) return 'XMKECAWLJDB'.charAt(weighted(compact, [10, 4, 9, 3, 8, 2, 7, 1]) % 11);
  if (/^\d/.test(compact)) return 'ZKCMDNERGWH'.charAt(weighted(compact, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11);
  const sum = [4, 3, 5, 3, 10, 2, 2, 5, 7].reduce(
    (total, weight, index) => total + weight * UEN_UNITS.indexOf(compact.charAt(index)),
    0,
  );
  return UEN_UNITS.charAt((sum + 6) % 11);
}

/** Unique entity number: business, local company, other entities. */
export const sgUen: ShapeDetector = {
  entity: 'SG_UEN',
  score: 0.5,
  shapes: ['9{8}A', '9{9}A', 'A99AA9999A'],
  context: ['uen', 'acra', 'entity', 'business'],
  contextScore: 0.9,
  check(compact) {
    const other = /^[RST]/.test(compact);
    if (other && !UEN_KINDS.includes(compact.slice(3, 5))) return false;
    if (!other && compact.length === 10 && !/^(?:19|20)/.test(compact)) return false;
    return (other || /^\d/.test(compact)) && uenLetter(compact) === compact.slice(-1) ? (other ? 0.7 : 0.5) : false;
  },
};

export const sg: Pack = [sgNricFin, sgUen];

/** Thirteen digits: kind of person, province, district, serial, check digit. */
export const thTnin: ShapeDetector = {
  entity: 'TH_TNIN',
  score: 0.5,
  shapes: ['9{13}', '9_9999_99999_99_9'],
  context: ['thai', 'บัตรประชาชน', 'ประชาชน', 'เลขประจำตัว', 'citizen', 'national'],
  contextScore: 0.9,
  check(compact, raw) {
    const province = compact.slice(1, 3);
    if (!/^[1-8]/.test(compact) || !/^(?:1\d|2[0-7]|3[0-9]|4\d|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])$/.test(province))
      return false;
    const check = (11 - (weighted(compact, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10;
    return !allSame(compact) && check === digit(compact, 12) ? (raw.length > 13 ? 0.8 : 0.5) : false;
  },
};

export const th: Pack = [thTnin];

/** Taxpayer number: nine digits, the last a check, and perhaps a branch of three or five. */
export const phTin: ShapeDetector = {
  entity: 'PH_TIN',
  score: 0.3,
  weak: 'together',
  shapes: ['9{9}', '9{12}', '9{14}', '999_999_999', '999_999_999_999', '999_999_999_99999'],
  separators: '-',
  context: ['tin', 'bir', 'taxpayer', 'tax'],
  contextScore: 0.9,
  check(compact, raw) {
    if (allSame(compact.slice(0, 9)) || weighted(compact, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 !== digit(compact, 8))
      return false;
    return raw.includes('-') ? (compact.length > 9 ? 0.6 : 0.4) : 0.1;
  },
};

export const ph: Pack = [philippineMobileNumber, phTin];

export const trNationalId: ShapeDetector = {
  entity: 'TR_NATIONAL_ID',
  score: 0.6,
  shapes: ['9{11}'],
  context: ['kimlik', 'tc', 'tckn', 'turkish', 'numarası', 'nüfus', 'vatandaşlık'],
  contextScore: 0.95,
  check(compact) {
    if (compact.startsWith('0')) return false;
    const odd = weighted(compact, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
    const even = weighted(compact, [0, 1, 0, 1, 0, 1, 0, 1]);
    return (
      (odd * 7 - even + 100) % 10 === digit(compact, 9) && (odd + even + digit(compact, 9)) % 10 === digit(compact, 10)
    );
  },
};

export const trLicensePlate: ShapeDetector = {
  entity: 'TR_LICENSE_PLATE',
  score: 0.4,
  weak: 'always',
  shapes: ['A', 'AA', 'AAA'].flatMap((letters) =>
    ['99', '999', '9999', '99999'].flatMap((number) => [
      `99_${letters}_${number}`,
      `99${letters}${number}`,
      `99_${letters}${number}`,
    ]),
  ),
  separators: ' ',
  context: ['plaka', 'plate', 'araç', 'plakası', 'vehicle'],
  contextScore: 0.85,
  check(compact) {
    const province = part(compact, 0, 2);
    if (province < 1 || province > 81) return false;
    return /^\d\d(?:[A-Z]\d{4,5}|[A-Z]\d{3}|[A-Z]{2}\d{3,4}|[A-Z]{3}\d{2,4})$/.test(compact) && !/[QWX]/.test(compact)
      ? 0.4
      : false;
  },
};

export const tr: Pack = [trNationalId, trLicensePlate, turkishPhoneNumber];
