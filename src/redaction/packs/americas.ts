import { allSame, digit, isDate, luhn, luhnBytes, part, weighted } from '../check-digits.ts';
import type { Pack, ShapeDetector } from '../types.ts';

/** Social insurance number: nine digits, not starting with 0 or 8, Luhn. */
export const caSin: ShapeDetector = {
  entity: 'CA_SIN',
  score: 0.5,
  weak: 'together',
  shapes: ['9{9}', '999_999_999'],
  context: ['sin', 'nas', 'insurance', 'assurance', 'canada', 'canadian'],
  contextScore: 0.95,
  likely: luhnBytes,
  check: (compact, raw) =>
    luhn(compact) && /^[1-79]/.test(compact) && !allSame(compact) ? (raw.length > 9 ? 0.55 : 0.2) : false,
};

/** Postal code: A1A 1A1 without D F I O Q U, and no W or Z first. */
export const caPostalCode: ShapeDetector = {
  entity: 'CA_POSTAL_CODE',
  score: 0.5,
  weak: 'together',
  shapes: ['A9A_9A9', 'A9A9A9'],
  context: ['postal', 'address', 'code', 'canada', 'ontario', 'quebec'],
  contextScore: 0.8,
  check: (compact, raw) =>
    /^[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\d[ABCEGHJ-NPRSTV-Z]\d$/.test(compact)
      ? raw.length > 6
        ? 0.5
        : 0.2
      : false,
};

export const ca: Pack = [caSin, caPostalCode];

const mod11 = (text: string, weights: readonly number[]): number => {
  const rest = weighted(text, weights) % 11;
  return rest < 2 ? 0 : 11 - rest;
};

/** Cadastro de pessoas físicas: two check digits. */
export const brCpf: ShapeDetector = {
  entity: 'BR_CPF',
  score: 0.6,
  shapes: ['9{11}', '999_999_999_99'],
  separators: '.- ',
  mixed: true,
  context: ['cpf', 'cadastro', 'pessoa'],
  contextScore: 0.95,
  check(compact, raw) {
    const right =
      !allSame(compact) &&
      mod11(compact, [10, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(compact, 9) &&
      mod11(compact, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(compact, 10);
    return right ? (raw.length > 11 ? 0.9 : 0.55) : false;
  },
};

/** Cadastro nacional da pessoa jurídica. */
export const brCnpj: ShapeDetector = {
  entity: 'BR_CNPJ',
  score: 0.8,
  shapes: ['9{14}', '99_999_999_9999_99'],
  separators: './- ',
  mixed: true,
  context: ['cnpj', 'empresa'],
  contextScore: 0.95,
  check(compact) {
    return (
      !allSame(compact) &&
      mod11(compact, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(compact, 12) &&
      mod11(compact, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(compact, 13)
    );
  },
};

export const br: Pack = [brCpf, brCnpj];

/** Clave única de registro de población: initials, birth date, sex, state, consonants, check. */
export const mxCurp: ShapeDetector = {
  entity: 'MX_CURP',
  score: 0.9,
  shapes: ['AAAA9{6}AAAAAAX9'],
  context: ['curp'],
  contextScore: 0.95,
  check: (compact) =>
    /^[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d$/.test(compact) &&
    isDate(part(compact, 4, 6), part(compact, 6, 8), part(compact, 8, 10)),
};

export const mxRfc: ShapeDetector = {
  entity: 'MX_RFC',
  score: 0.5,
  shapes: ['AAAA9{6}XXX', 'AAA9{6}XXX'],
  context: ['rfc', 'sat', 'factura'],
  contextScore: 0.9,
  check(compact) {
    const date = compact.slice(-9, -3);
    return /[0-9A]$/.test(compact) && isDate(part(date, 0, 2), part(date, 2, 4), part(date, 4, 6));
  },
};

export const mx: Pack = [mxCurp, mxRfc];
