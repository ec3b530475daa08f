import { allSame, digit, isDate, letterValue, mod11And10, part, weighted } from '../check-digits.ts';
import { deUmlautPlate } from '../detectors/umlaut-plate.ts';
import type { Pack, ShapeDetector } from '../types.ts';

/** Cross sums of digits times 1, 2, 1, 2: health insurance and social security numbers. */
function crossSum(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const product = digit(digits, index) * (weights[index] as number);
    sum += Math.floor(product / 10) + (product % 10);
  }
  return sum;
}

const twoDigits = (letter: string): string => String(letter.charCodeAt(0) - 64).padStart(2, '0');

/** Krankenversichertennummer: a letter, eight digits, check digit. */
export const deHealthInsurance: ShapeDetector = {
  entity: 'DE_HEALTH_INSURANCE',
  score: 0.5,
  shapes: ['A9{9}'],
  context: [
    'krankenkasse',
    'kvnr',
    'egk',
    'versichertennummer',
    'krankenversicherung',
    'krankenversichertennummer',
    'nummer',
  ],
  contextScore: 0.9,
  check(compact) {
    const digits = twoDigits(compact) + compact.slice(1, 9);
    return crossSum(digits, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === digit(compact, 9);
  },
};

const SEVEN_THREE_ONE = [7, 3, 1];

/** Check digit of ICAO 9303, as on cards and passports. */
function icaoCheck(nine: string): boolean {
  let sum = 0;
  for (let index = 0; index < 8; index++) sum += letterValue(nine, index) * (SEVEN_THREE_ONE[index % 3] as number);
  return sum % 10 === digit(nine, 8);
}

const SERIAL = /^[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{7}\d$/;
const SERIAL_SHAPES = ['AXXXXXXX9'];

/** Personalausweis: the serial with its check digit, or the older T with eight digits. */
export const deIdCard: ShapeDetector = {
  entity: 'DE_ID_CARD',
  score: 0.4,
  shapes: SERIAL_SHAPES,
  context: ['personalausweis', 'ausweis', 'ausweisnummer', 'identity', 'id'],
  contextScore: 0.85,
  check: (compact) =>
    /^T\d{8}$/.test(compact)
      ? 0.3
      : SERIAL.test(compact) && icaoCheck(compact)
        ? /^.\d+$/.test(compact)
          ? 0.3
          : 0.5
        : false,
};

export const dePassport: ShapeDetector = {
  entity: 'DE_PASSPORT',
  score: 0.4,
  weak: 'always',
  shapes: SERIAL_SHAPES,
  context: ['reisepass', 'pass', 'passnummer', 'passport', 'reisepassnummer'],
  contextScore: 0.85,
  check: (compact) => SERIAL.test(compact) && icaoCheck(compact),
};

/** Lifelong doctor number: check digit at place seven, weights 4 and 9. */
export const deLanr: ShapeDetector = {
  entity: 'DE_LANR',
  score: 0.2,
  weak: 'always',
  shapes: ['9{9}'],
  context: ['lanr', 'arztnummer', 'arzt', 'vertragsarzt'],
  contextScore: 0.9,
  check: (compact) => !allSame(compact) && (10 - (weighted(compact, [4, 9], 6) % 10)) % 10 === digit(compact, 6),
};

/** Practice number: nine digits, no check digit. */
export const deBsnr: ShapeDetector = {
  entity: 'DE_BSNR',
  score: 0.05,
  weak: 'always',
  shapes: ['9{9}'],
  context: ['bsnr', 'betriebsstättennummer', 'betriebsstätte', 'praxis'],
  contextScore: 0.85,
  check: (compact) => !allSame(compact),
};

/** Rentenversicherungsnummer: area, birth date, initial, serial, check digit. */
export const deSocialSecurity: ShapeDetector = {
  entity: 'DE_SOCIAL_SECURITY',
  score: 0.8,
  shapes: ['9{8}A999', '99_9{6}_A_999', '99_999999_A_99_9'],
  context: [
    'rentenversicherung',
    'sozialversicherung',
    'rvnr',
    'svnr',
    'sozialversicherungsnummer',
    'rentenversicherungsnummer',
    'versicherungsnummer',
  ],
  contextScore: 0.95,
  check(compact) {
    const day = part(compact, 2, 4) % 50;
    if (!isDate(part(compact, 6, 8), part(compact, 4, 6), day || 1) || part(compact, 0, 2) < 2) return false;
    const digits = compact.slice(0, 8) + twoDigits(compact.slice(8)) + compact.slice(9, 11);
    return crossSum(digits, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === digit(compact, 11);
  },
};

/** One digit of the first ten stands there twice or three times, all others once: as numbers are given out. */
function isDealt(counts: Uint8Array): boolean {
  let repeated = 0;
  for (const count of counts) if (count > 1) repeated++;
  return repeated === 1;
}

/** Steuerliche Identifikationsnummer: no leading 0, no digit more than three times in the first ten, ISO 7064. */
export const deTaxId: ShapeDetector = {
  entity: 'DE_TAX_ID',
  score: 0.5,
  shapes: ['9{11}', '99_999_999_999'],
  separators: ' ',
  context: ['steuer', 'steuerid', 'idnr', 'identifikationsnummer', 'steueridentifikationsnummer', 'tin', 'tax'],
  contextScore: 0.9,
  check(compact) {
    if (compact.startsWith('0') || !mod11And10(compact)) return false;
    const counts = new Uint8Array(10);
    for (let index = 0; index < 10; index++) {
      const value = digit(compact, index);
      counts[value] = (counts[value] as number) + 1;
      if ((counts[value] as number) > 3) return false;
    }
    return isDealt(counts) ? 0.5 : 0.3;
  },
};

/** Thirteen digits of the electronic form: the state by its number, or by the tax office's with a 0 at place five. */
const FEDERAL_TAX_NUMBER = /^(?:0[1-9]|1[0-6]|(?:1[01]|2[1-46-8]|3[0-2]|4[01]|[59]\d)\d\d0)/;

/** Steuernummer: thirteen digits, or a state's own with slashes. */
export const deTaxNumber: ShapeDetector = {
  entity: 'DE_TAX_NUMBER',
  score: 0.2,
  weak: 'always',
  shapes: ['9{13}', '99_9999_9999', '999_9999_9999', '99_999_99999', '999_999_99999', '999_9999_999', '99999_99999'],
  separators: '/ ',
  context: ['steuernummer', 'stnr', 'st', 'finanzamt', 'steuer'],
  contextScore: 0.85,
  check: (compact, raw) =>
    raw.includes('/') ? 0.4 : raw.length === 13 && FEDERAL_TAX_NUMBER.test(compact) ? 0.1 : false,
};

export const deVatId: ShapeDetector = {
  entity: 'DE_VAT_ID',
  score: 0.85,
  shapes: ['AA9{9}', 'AA_9{9}', 'AA_999_999_999', 'AA999_999_999'],
  separators: ' .-',
  mixed: true,
  context: ['ust', 'idnr', 'umsatzsteuer', 'vat', 'ustid'],
  contextScore: 0.95,
  check: (compact) => compact.startsWith('DE') && compact.charAt(2) !== '0' && mod11And10(compact.slice(2)),
};

export const dePlz: ShapeDetector = {
  entity: 'DE_PLZ',
  score: 0.05,
  weak: 'always',
  shapes: ['99999'],
  context: ['plz', 'postleitzahl'],
  contextScore: 0.7,
  check: (compact) => part(compact, 0, 5) > 1000 && part(compact, 0, 5) < 99999,
};

export const deKfz: ShapeDetector = {
  entity: 'DE_KFZ',
  score: 0.3,
  weak: 'always',
  shapes: ['A', 'AA', 'AAA'].flatMap((town) =>
    ['A', 'AA'].flatMap((mark) =>
      ['9', '99', '999', '9999'].flatMap((number) =>
        ['', 'A'].flatMap((end) => [`${town}_${mark}_${number}${end}`, `${town}_${mark}${number}${end}`]),
      ),
    ),
  ),
  mixed: true,
  context: ['kennzeichen', 'kfz', 'nummernschild', 'fahrzeug', 'auto'],
  contextScore: 0.8,
  check: (compact, raw) => /^[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -]?[1-9]\d{0,3}[EH]?$/i.test(raw),
};

export const deHandelsregister: ShapeDetector = {
  entity: 'DE_HANDELSREGISTER',
  score: 0.7,
  shapes: ['9', '99', '999', '9999', '99999', '999999'].flatMap((number) => [`AAA${number}`, `AAA_${number}`]),
  likely: (bytes, start) => ((bytes[start] as number) | 32) === 104 && ((bytes[start + 1] as number) | 32) === 114,
  check: (compact) => /^HR[AB][1-9]/.test(compact),
};

const FUEHRERSCHEIN_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2, 1];

/** Check character of FeV, annex 8: weights 9 to 1, letters from 10, modulo 11, X for 10. */
function isFuehrerscheinChecked(compact: string): boolean {
  const sum = FUEHRERSCHEIN_WEIGHTS.reduce((total, weight, index) => total + weight * letterValue(compact, index), 0);
  return '0123456789X'.charAt(sum % 11) === compact.charAt(9);
}

/** Führerscheinnummer, eleven characters: authority, running number, check, copy; the running number with or without letters. */
export const deFuehrerschein: ShapeDetector = {
  entity: 'DE_FUEHRERSCHEIN',
  score: 0.3,
  weak: 'always',
  shapes: ['AX9{8}X', 'AXX9{6}XX', 'A999XXXXXX9'],
  context: ['führerschein', 'führerscheinnummer', 'fahrerlaubnis', 'fuehrerschein'],
  contextScore: 0.85,
  check: (compact) =>
    /^[A-Z][A-Z0-9]{2}\d{6}[A-Z0-9]{2}$/.test(compact) ||
    (/^[A-Z]\d{3}[A-Z0-9]{5}[0-9X]\d$/.test(compact) && isFuehrerscheinChecked(compact)),
};

export const de: Pack = [
  deHealthInsurance,
  deIdCard,
  dePassport,
  deLanr,
  deBsnr,
  deSocialSecurity,
  deTaxId,
  deTaxNumber,
  deVatId,
  dePlz,
  deKfz,
  deUmlautPlate,
  deHandelsregister,
  deFuehrerschein,
];
