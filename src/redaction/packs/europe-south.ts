import {
  allSame,
  digit,
  isDate,
  letterValue,
  luhn,
  luhnBytes,
  part,
  weighted,
  weightedBytes,
} from '../check-digits.ts';
import type { Pack, ShapeDetector } from '../types.ts';

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

export const esNif: ShapeDetector = {
  entity: 'ES_NIF',
  score: 0.6,
  shapes: ['9{8}A', '9{7}A', '9{8}_A', '99_999_999_A'],
  separators: ' -.',
  mixed: true,
  context: ['nif', 'dni', 'identificación', 'documento', 'identidad'],
  contextScore: 0.9,
  check(compact) {
    const number = compact.slice(0, -1);
    return !allSame(`${number}0`) && DNI_LETTERS.charAt(Number(number) % 23) === compact.slice(-1)
      ? number.length === 8
        ? 0.6
        : 0.3
      : false;
  },
};

export const esNie: ShapeDetector = {
  entity: 'ES_NIE',
  score: 0.8,
  shapes: ['A9{7}A', 'A_9{7}_A', 'A9{7}_A', 'A_9{8}_A', 'A9{8}A'],
  context: ['nie', 'extranjero', 'residencia', 'identificación'],
  contextScore: 0.95,
  check(compact) {
    const lead = 'XYZ'.indexOf(compact.charAt(0));
    return lead >= 0 && DNI_LETTERS.charAt(Number(lead + compact.slice(1, -1)) % 23) === compact.slice(-1);
  },
};

export const esPassport: ShapeDetector = {
  entity: 'ES_PASSPORT',
  score: 0.1,
  weak: 'always',
  shapes: ['AAA9{6}'],
  context: ['pasaporte', 'passport'],
  contextScore: 0.8,
};

export const es: Pack = [esNif, esNie, esPassport];

const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
const OMOCODE = 'LMNPQRSTUV';

/** Codice fiscale, with the letters that replace digits when two people would share one. */
export const itFiscalCode: ShapeDetector = {
  entity: 'IT_FISCAL_CODE',
  score: 0.9,
  shapes: ['AAAAAAXXAXXAXXXA'],
  context: ['codice', 'fiscale', 'cf'],
  contextScore: 0.95,
  check(compact) {
    if (!/^[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]$/.test(compact)) return false;
    const day = Number(compact.slice(9, 11).replace(/[A-Z]/g, (letter) => String(OMOCODE.indexOf(letter))));
    let sum = 0;
    for (let index = 0; index < 15; index++) {
      const value = letterValue(compact, index);
      const even = value > 9 ? value - 10 : value;
      sum += index % 2 === 0 ? (ODD[even] as number) : even;
    }
    const right = compact.charCodeAt(15) === 65 + (sum % 26);
    return right && day % 40 >= 1 && day % 40 <= 31 ? 0.9 : 0.4;
  },
};

export const itVatCode: ShapeDetector = {
  entity: 'IT_VAT_CODE',
  score: 0.3,
  shapes: ['9{11}', 'AA9{11}', '99999999_999'],
  separators: ' _',
  context: ['iva', 'partita', 'piva', 'vat', 'fattura'],
  contextScore: 0.9,
  check(compact) {
    const digits = compact.replace(/^IT/, '');
    return digits.length === 11 && !allSame(digits) && luhn(digits) ? (compact.length > 11 ? 0.85 : 0.3) : false;
  },
};

/** Patente: U1 or two letters, seven characters, a letter. */
export const itDriverLicense: ShapeDetector = {
  entity: 'IT_DRIVER_LICENSE',
  score: 0.3,
  weak: 'always',
  shapes: ['AA9{7}A', 'A9XXXXXXXA'],
  context: ['patente', 'guida', 'licenza', 'driver'],
  contextScore: 0.85,
  check: (compact) => /^(?:[A-Z]{2}\d{7}[A-Z]|U1[BCDFGHLJKMNPRSTUWYXZ0-9]{7}[A-Z])$/.test(compact),
};

export const itIdentityCard: ShapeDetector = {
  entity: 'IT_IDENTITY_CARD',
  score: 0.1,
  weak: 'always',
  shapes: ['AA9{7}', 'AA_9{7}', '9{7}AA', 'AA9{5}AA'],
  separators: ' ',
  context: ['carta', 'identità', 'elettronica', 'cie', 'documento', 'card', 'identity'],
  contextScore: 0.8,
  check: (compact) => (/^C[A-Z]\d{5}[A-Z]{2}$/.test(compact) ? 0.4 : true),
};

export const itPassport: ShapeDetector = {
  entity: 'IT_PASSPORT',
  score: 0.05,
  weak: 'always',
  shapes: ['AA9{7}'],
  context: ['passaporto', 'passport', 'viaggio', 'documento'],
  contextScore: 0.8,
};

export const it: Pack = [itFiscalCode, itVatCode, itDriverLicense, itIdentityCard, itPassport];

const PT_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2];

/** Número de identificação fiscal: first digits by kind of person, modulo 11. */
export const ptNif: ShapeDetector = {
  entity: 'PT_NIF',
  score: 0.3,
  shapes: ['9{9}', '999_999_999', 'AA9{9}'],
  separators: ' ',
  context: ['nif', 'contribuinte', 'fiscal', 'finanças', 'nipc'],
  contextScore: 0.9,
  likely(bytes, start, end) {
    const rest = weightedBytes(bytes, start, end, PT_WEIGHTS) % 11;
    return (rest < 2 ? 0 : 11 - rest) === (bytes[end - 1] as number) - 48;
  },
  check(compact) {
    const named = compact.startsWith('PT');
    if (compact.length !== (named ? 11 : 9)) return false;
    const digits = named ? compact.slice(2) : compact;
    const rest = weighted(digits, PT_WEIGHTS) % 11;
    if ((rest < 2 ? 0 : 11 - rest) !== digit(digits, 8)) return false;
    return /^(?:[1-35689]|45|7[0-9])/.test(digits) && !allSame(digits) ? (named ? 0.85 : 0.3) : false;
  },
};

export const pt: Pack = [ptNif];

/** Numéro de sécurité sociale: sex, year, month, department, commune, order, key 97. */
export const frNir: ShapeDetector = {
  entity: 'FR_NIR',
  score: 0.85,
  shapes: ['9{15}', '9_99_99_99_999_999_99', '9{13}_99', '9{6}A9{8}', '9_99_99_9A_999_999_99'],
  context: ['nir', 'sécurité', 'sociale', 'insee', 'sécu', 'secu', 'vitale', 'assuré'],
  contextScore: 0.95,
  check(compact) {
    if (!/^[1-478]\d\d(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d\d|2[AB])\d{8}$/.test(compact)) return false;
    const plain = compact.replace('A', '0').replace('B', '0');
    const shift = compact.includes('A') ? 1_000_000 : compact.includes('B') ? 2_000_000 : 0;
    return 97 - ((Number(plain.slice(0, 13)) - shift) % 97) === Number(plain.slice(13));
  },
};

export const frSiren: ShapeDetector = {
  entity: 'FR_SIREN',
  score: 0.2,
  weak: 'always',
  shapes: ['9{9}', '999_999_999'],
  separators: ' ',
  context: ['siren', 'rcs', 'entreprise', 'société', 'immatriculée'],
  contextScore: 0.9,
  check: (compact) => !allSame(compact) && luhn(compact),
};

export const frSiret: ShapeDetector = {
  entity: 'FR_SIRET',
  score: 0.4,
  weak: 'together',
  shapes: ['9{14}', '999_999_999_99999'],
  separators: ' ',
  context: ['siret', 'établissement', 'entreprise', 'société'],
  contextScore: 0.9,
  likely: luhnBytes,
  check: (compact, raw) => (!allSame(compact) && luhn(compact) ? (raw.length > 14 ? 0.7 : 0.4) : false),
};

export const fr: Pack = [frNir, frSiren, frSiret];

/** Croatian personal identification number, ISO 7064 mod 11,10. */
export const hrOib: ShapeDetector = {
  entity: 'HR_OIB',
  score: 0.2,
  weak: 'always',
  shapes: ['9{11}'],
  context: ['oib'],
  contextScore: 0.9,
  check(compact) {
    let product = 10;
    for (let index = 0; index < 10; index++) product = (((digit(compact, index) + product) % 10 || 10) * 2) % 11;
    return (11 - product) % 10 === digit(compact, 10);
  },
};

/** Romanian CNP: sex and century, birth date, county, serial, check digit. */
export const roCnp: ShapeDetector = {
  entity: 'RO_CNP',
  score: 0.7,
  shapes: ['9{13}'],
  context: ['cnp', 'cod', 'personal'],
  contextScore: 0.95,
  check(compact) {
    if (!/^[1-8]/.test(compact) || !isDate(part(compact, 1, 3), part(compact, 3, 5), part(compact, 5, 7))) return false;
    const rest = weighted(compact, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    return (rest === 10 ? 1 : rest) === digit(compact, 12);
  },
};

export const hr: Pack = [hrOib];
export const ro: Pack = [roCnp];
