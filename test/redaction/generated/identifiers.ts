import { CAPITALS, type Draw, grouped, hybridDigit, luhnDigit, NOT_ZERO, spoiled, toTen, weighed } from './draw.ts';

/** An identifier by its public definition: how one is made, how it is printed, and what is almost one. */
export interface Identifier {
  readonly entity: string;
  /** Where the rule is written down. */
  readonly definition: string;
  readonly make: (draw: Draw) => string;
  /** Other ways it is written. @defaultValue none */
  readonly printed?: readonly ((value: string) => string)[];
  /** Has the layout but is none. */
  readonly almost: (draw: Draw) => string;
}

/** A number with a check digit: the wrong digit makes it none. */
function checked(
  entity: string,
  definition: string,
  make: (draw: Draw) => string,
  ...printed: readonly ((value: string) => string)[]
): Identifier {
  return { entity, definition, make, printed, almost: (draw) => spoiled(make(draw)) };
}

const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
const FINNISH = '0123456789ABCDEFHJKLMNPRSTUVWXY';

function aba(draw: Draw): string {
  const digits = draw.pick([draw.number(1, 12, 2), draw.number(21, 32, 2), draw.number(61, 72, 2)]) + draw.digits(6);
  return digits + toTen(weighed(digits, [3, 7, 1, 3, 7, 1, 3, 7]));
}

const abn = (draw: Draw): string =>
  draw.until(() => {
    const digits = draw.of(NOT_ZERO, 1) + draw.digits(10);
    return (weighed(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0 ? digits : undefined;
  });

function nhs(draw: Draw): string {
  return draw.until(() => {
    const digits = draw.of('456789', 1) + draw.digits(8);
    const check = (11 - (weighed(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
    return check === 10 ? undefined : digits + check;
  });
}

function finnish(draw: Draw): string {
  const day = draw.number(1, 28, 2) + draw.number(1, 12, 2) + draw.number(0, 99, 2);
  const serial = draw.number(2, 899, 3);
  return day + draw.pick([...'+-YXWVUABCDEF']) + serial + FINNISH.charAt(Number(day + serial) % 31);
}

function turkish(draw: Draw): string {
  const digits = draw.of(NOT_ZERO, 1) + draw.digits(8);
  const odd = weighed(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighed(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (odd * 7 - even + 100) % 10;
  return `${digits}${tenth}${(odd + even + tenth) % 10}`;
}

/** FeV annex 8: weights 9 to 1, letters from 10, modulo 11. */
function germanLicence(draw: Draw): string {
  const nine =
    draw.of(CAPITALS, 1) +
    draw.digits(3) +
    draw.of('CFGHJKLMNPRTVWXYZ', 2) +
    draw.of(`CFGHJKLMNPRTVWXYZ${NOT_ZERO}`, 3);
  const sum = [...nine].reduce((total, unit, index) => total + (9 - index) * Number.parseInt(unit, 36), 0);
  return nine + '0123456789X'.charAt(sum % 11) + draw.of(NOT_ZERO, 1);
}

const nieLetter = (digits: string): string => NIF_LETTERS.charAt(Number(digits) % 23);

export const identifiers: readonly Identifier[] = [
  checked('ABA_ROUTING_NUMBER', 'ABA routing number policy: 3-7-1', aba, grouped([4, 4, 1], '-')),
  checked('AU_ABN', 'ABR, format of the ABN: modulus 89', abn, grouped([2, 3, 3, 3], ' ')),
  checked(
    'AU_ACN',
    'ASIC, ACN check digit',
    (draw) => {
      const digits = draw.of(NOT_ZERO, 8);
      return digits + toTen(weighed(digits, [8, 7, 6, 5, 4, 3, 2, 1]));
    },
    grouped([3, 3, 3], ' '),
  ),
  checked(
    'CA_SIN',
    'ESDC: Luhn, no number begins with 0 or 8',
    (draw) => {
      const digits = draw.of('1234567', 1) + draw.digits(7);
      return digits + luhnDigit(digits);
    },
    grouped([3, 3, 3], ' '),
    grouped([3, 3, 3], '-'),
  ),
  checked(
    'CREDIT_CARD',
    'ISO/IEC 7812: issuer ranges and Luhn',
    (draw) => {
      const digits = draw.pick(['4', '51', '55', '2221', '6011', '3528']).padEnd(4, '1') + draw.digits(11);
      return digits + luhnDigit(digits);
    },
    grouped([4, 4, 4, 4], ' '),
    grouped([4, 4, 4, 4], '-'),
  ),
  {
    entity: 'DE_FUEHRERSCHEIN',
    definition: 'FeV, annex 8',
    make: germanLicence,
    almost: (draw) => {
      const made = germanLicence(draw);
      return made.slice(0, 9) + (made.charAt(9) === '7' ? '8' : '7') + made.slice(10);
    },
  },
  checked('DE_TAX_ID', 'BZSt: ISO 7064 mod 11,10, one digit repeated', (draw) => {
    const dealt = [...'123456789'].sort(() => draw.below(2) - 0.5).join('');
    const ten = dealt + dealt.charAt(draw.below(9));
    return ten + hybridDigit(ten);
  }),
  checked(
    'DE_VAT_ID',
    'BZSt: DE and ISO 7064 mod 11,10',
    (draw) => {
      const digits = draw.of(NOT_ZERO, 1) + draw.digits(7);
      return `DE${digits}${hybridDigit(digits)}`;
    },
    grouped([2, 3, 3, 3], ' '),
  ),
  {
    entity: 'ES_NIF',
    definition: 'Real Decreto 1553/2005: number modulo 23',
    make: (draw) => {
      const digits = draw.digits(8);
      return digits + nieLetter(digits);
    },
    printed: [(value) => `${value.slice(0, 8)}-${value.slice(8)}`, (value) => value.toLowerCase()],
    almost: (draw) => {
      const digits = draw.digits(8);
      return digits + nieLetter(String(Number(digits) + 1));
    },
  },
  {
    entity: 'FI_PERSONAL_IDENTITY_CODE',
    definition: 'DVV: signs of the century, check character modulo 31',
    make: finnish,
    almost: (draw) => spoiled(finnish(draw), FINNISH),
  },
  checked(
    'IN_AADHAAR',
    'UIDAI: Verhoeff, not from 0 or 1',
    (draw) => {
      const digits = draw.of('23456789', 1) + draw.digits(10);
      return digits + verhoeffDigit(digits);
    },
    grouped([4, 4, 4], ' '),
    grouped([4, 4, 4], '-'),
  ),
  checked(
    'KR_BRN',
    'NTS: tax office from 101, weights 1 3 7',
    (draw) => {
      const digits = draw.number(101, 999, 3) + draw.digits(6);
      const last = Math.floor((Number(digits.charAt(8)) * 5) / 10);
      return digits + toTen(weighed(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + last);
    },
    grouped([3, 2, 5], '-'),
  ),
  checked('PL_PESEL', 'Ustawa o ewidencji ludności: weights 1 3 7 9', (draw) => {
    const digits = draw.birthDay() + draw.digits(4);
    return digits + toTen(weighed(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]));
  }),
  checked(
    'SE_PERSONNUMMER',
    'Skatteverket SKV 704: Luhn, + from the age of 100',
    (draw) => {
      const digits = draw.birthDay() + draw.digits(3);
      return digits + luhnDigit(digits);
    },
    grouped([6, 4], '-'),
    grouped([6, 4], '+'),
  ),
  checked(
    'TH_TNIN',
    'DOPA: weights 13 to 2, modulo 11',
    (draw) => {
      const digits = draw.of('12345678', 1) + draw.pick(['10', '30', '50', '73', '90']) + draw.digits(9);
      return digits + ((11 - (weighed(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10);
    },
    grouped([1, 4, 5, 2, 1], '-'),
  ),
  checked('TR_NATIONAL_ID', 'NVİ: two check digits', turkish),
  checked('UK_NHS', 'NHS data dictionary: modulo 11', nhs, grouped([3, 3, 4], ' ')),
  checked(
    'US_NPI',
    'CMS: Luhn behind 80840',
    (draw) => {
      const digits = draw.of('12', 1) + draw.digits(8);
      return digits + luhnDigit(`80840${digits}`);
    },
    grouped([4, 3, 3], '-'),
  ),
  checked(
    'ZA_ID_NUMBER',
    'DHA: birth date, citizenship 0 or 1, Luhn',
    (draw) => {
      const digits = draw.birthDay() + draw.digits(4) + draw.of('01', 1) + draw.of('89', 1);
      return digits + luhnDigit(digits);
    },
    grouped([6, 4, 3], ' '),
  ),
];

const DIHEDRAL = '0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210';
const PERMUTED = '01234567891576283094580379614289160435279453126870428657390127938064157046913258';

/** The digit behind which Verhoeff's sum is 0. */
function verhoeffDigit(digits: string): string {
  const sum = (all: string): number =>
    [...all].reverse().reduce((check, digit, index) => {
      const turned = Number(PERMUTED.charAt((index % 8) * 10 + Number(digit)));
      return Number(DIHEDRAL.charAt(check * 10 + turned));
    }, 0);
  return [...'0123456789'].find((digit) => sum(digits + digit) === 0) ?? '';
}
