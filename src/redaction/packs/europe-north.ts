import { allSame, digit, isDate, luhn, part, weighted } from '../check-digits.ts';
import type { Pack, ShapeDetector } from '../types.ts';

const FINNISH = '0123456789ABCDEFHJKLMNPRSTUVWXY';

/** Henkilötunnus: birth date, sign of the century (with those added in 2023), individual number, check character. */
export const fiPersonalIdentityCode: ShapeDetector = {
  entity: 'FI_PERSONAL_IDENTITY_CODE',
  score: 0.85,
  shapes: ['9{6}A999X', '9{6}_999X'],
  separators: '-+',
  context: ['henkilötunnus', 'hetu', 'personbeteckning'],
  contextScore: 0.95,
  check(compact, raw) {
    const serial = raw.slice(7, 10);
    if (raw.length !== 11 || !/[-+A-FU-Y]/i.test(raw.charAt(6)) || part(serial, 0, 3) < 2) return false;
    if (!isDate(part(raw, 4, 6), part(raw, 2, 4), part(raw, 0, 2))) return false;
    return FINNISH.charAt(Number(raw.slice(0, 6) + serial) % 31) === compact.slice(-1);
  },
};

export const fi: Pack = [fiPersonalIdentityCode];

/** Personnummer and samordningsnummer (day + 60), ten or twelve digits, Luhn over the last ten; `+` from the age of 100. */
export const sePersonnummer: ShapeDetector = {
  entity: 'SE_PERSONNUMMER',
  score: 0.5,
  shapes: ['9{6}_9999', '9{10}', '9{8}_9999', '9{12}'],
  separators: '-+',
  context: ['personnummer', 'pnr', 'samordningsnummer', 'swedish', 'svenskt'],
  contextScore: 0.95,
  check(compact, raw) {
    const ten = compact.slice(-10);
    if (compact.length === 12 && !/^(?:18|19|20)/.test(compact)) return false;
    const year = compact.length === 12 ? part(compact, 0, 4) : part(ten, 0, 2);
    const day = part(ten, 4, 6);
    if (!isDate(year, part(ten, 2, 4), day > 60 ? day - 60 : day) || !luhn(ten)) return false;
    return raw.length > compact.length ? 0.8 : compact.length === 12 ? 0.6 : 0.4;
  },
};

/** Organisationsnummer: as a personnummer, but the third digit is 2 or more. */
export const seOrganisationsnummer: ShapeDetector = {
  entity: 'SE_ORGANISATIONSNUMMER',
  score: 0.3,
  weak: 'together',
  shapes: ['9{6}_9999', '9{10}'],
  separators: '-',
  context: ['organisationsnummer', 'orgnr', 'orgnummer', 'org'],
  contextScore: 0.9,
  check: (compact, raw) =>
    digit(compact, 2) >= 2 && /^[1-35-9]/.test(compact) && luhn(compact) ? (raw.includes('-') ? 0.6 : 0.3) : false,
};

export const se: Pack = [sePersonnummer, seOrganisationsnummer];

export const plPesel: ShapeDetector = {
  entity: 'PL_PESEL',
  score: 0.5,
  shapes: ['9{11}'],
  context: ['pesel'],
  contextScore: 0.95,
  check(compact) {
    const month = part(compact, 2, 4) % 20;
    const century = Math.floor(part(compact, 2, 4) / 20);
    const year = part(compact, 0, 2) + ([1900, 2000, 2100, 2200, 1800][century] as number);
    if (!isDate(year, month, part(compact, 4, 6))) return false;
    return (10 - (weighted(compact, [1, 3, 7, 9], 10) % 10)) % 10 === digit(compact, 10);
  },
};

export const plNip: ShapeDetector = {
  entity: 'PL_NIP',
  score: 0.2,
  shapes: ['9{10}', '999_999_99_99', '999_99_99_999', 'AA9{10}'],
  separators: '-',
  context: ['nip', 'vat', 'podatkowy'],
  contextScore: 0.9,
  check(compact, raw) {
    const digits = compact.replace(/^PL/, '');
    const right =
      digits.length === 10 &&
      !allSame(digits) &&
      weighted(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === digit(digits, 9);
    return right ? (raw.length > 10 ? 0.7 : 0.2) : false;
  },
};

export const pl: Pack = [plPesel, plNip];

/** Burgerservicenummer: the eleven test. */
export const nlBsn: ShapeDetector = {
  entity: 'NL_BSN',
  score: 0.3,
  weak: 'always',
  shapes: ['9{9}', '9{8}', '999_99_999', '9999_99_999', '999_999_999'],
  separators: '. ',
  context: ['bsn', 'burgerservicenummer', 'sofinummer', 'sofi'],
  contextScore: 0.95,
  check(compact) {
    const nine = compact.padStart(9, '0');
    const right = !allSame(compact) && part(nine, 0, 4) > 0 && weighted(nine, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
    return right ? (compact.length === 9 ? 0.3 : 0.1) : false;
  },
};

export const nl: Pack = [nlBsn];

/** AHV number: 756, twelve digits and an EAN-13 check digit. */
export const chAhv: ShapeDetector = {
  entity: 'CH_AHV',
  score: 0.9,
  shapes: ['999_9999_9999_99', '9{13}'],
  separators: '. ',
  context: ['ahv', 'avs', 'sozialversicherungsnummer', 'navs'],
  contextScore: 0.95,
  check: (compact) =>
    compact.startsWith('756') && (10 - (weighted(compact, [1, 3], 12) % 10)) % 10 === digit(compact, 12),
};

export const ch: Pack = [chAhv];

/** Rijksregisternummer: birth date, serial, 97 minus the rest; 2 before it for those born from 2000. */
export const beNrn: ShapeDetector = {
  entity: 'BE_NRN',
  score: 0.5,
  weak: 'together',
  shapes: ['9{11}', '99_99_99_999_99', '999999_999_99'],
  separators: '.-',
  mixed: true,
  context: ['rijksregisternummer', 'national', 'registre', 'insz', 'niss', 'nrn'],
  contextScore: 0.95,
  check(compact, raw) {
    const month = part(compact, 2, 4) % 20;
    if (month > 12 || part(compact, 4, 6) > 31) return false;
    const key = part(compact, 9, 11);
    const right = key === 97 - (part(compact, 0, 9) % 97) || key === 97 - (Number(`2${compact.slice(0, 9)}`) % 97);
    return right ? (raw.length > 11 ? 0.9 : 0.4) : false;
  },
};

export const be: Pack = [beNrn];

/** CPR number. It has no check digit since 2007: a birth date and four digits. */
export const dkCpr: ShapeDetector = {
  entity: 'DK_CPR',
  score: 0.3,
  weak: 'together',
  shapes: ['9{6}_9999', '9{10}'],
  separators: '-',
  context: ['cpr', 'personnummer', 'cprnr'],
  contextScore: 0.9,
  check(compact, raw) {
    if (!isDate(part(compact, 4, 6), part(compact, 2, 4), part(compact, 0, 2))) return false;
    return weighted(compact, [4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
      ? raw.includes('-')
        ? 0.6
        : 0.3
      : raw.includes('-')
        ? 0.3
        : 0.1;
  },
};

export const dk: Pack = [dkCpr];

/** Fødselsnummer and D-number: birth date, individual number, two check digits. */
export const noFodselsnummer: ShapeDetector = {
  entity: 'NO_FODSELSNUMMER',
  score: 0.7,
  shapes: ['9{11}', '9{6}_9{5}'],
  separators: ' ',
  context: ['fødselsnummer', 'fnr', 'personnummer', 'fodselsnummer'],
  contextScore: 0.95,
  check(compact) {
    if (!isDate(part(compact, 4, 6), part(compact, 2, 4), part(compact, 0, 2) % 40)) return false;
    return (
      weighted(compact, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weighted(compact, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
    );
  },
};

export const no: Pack = [noFodselsnummer];

/** Personal public service number: seven digits, check letter, perhaps a second letter. */
export const iePps: ShapeDetector = {
  entity: 'IE_PPS',
  score: 0.5,
  shapes: ['9{7}A', '9{7}AA'],
  context: ['pps', 'ppsn', 'public'],
  contextScore: 0.95,
  check(compact) {
    const second = compact.length === 9 && compact.charAt(8) !== 'W' ? (compact.charCodeAt(8) - 64) * 9 : 0;
    if (compact.length === 9 && !/[A-IW]$/.test(compact)) return false;
    return (
      'WABCDEFGHIJKLMNOPQRSTUV'.charAt((weighted(compact, [8, 7, 6, 5, 4, 3, 2]) + second) % 23) === compact.charAt(7)
    );
  },
};

export const ie: Pack = [iePps];
