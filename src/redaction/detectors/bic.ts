import { byteAt, classAt, LETTER } from '../characters.ts';
import type { AnchorDetector, ShapeDetector } from '../types.ts';

const COUNTRIES =
  'ADAEAFAGALAMAOARATAUAWAZBABBBDBEBFBGBHBJBNBOBRBSBWBYBZCACDCGCHCICLCMCNCOCRCVCYCZDEDJDKDODZECEEEGESETFIFJFOFRGAGBGDGEGHGIGLGMGNGRGTGY' +
  'HKHNHRHTHUIDIEILINIQIRISITJMJOJPKEKGKHKMKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMGMKMLMMMNMOMRMTMUMVMWMXMYMZNANENGNINLNONPNZOMPAPEPGPHPK' +
  'PLPSPTPYQARORSRURWSASCSDSESGSISKSLSMSNSRSVSYSZTDTGTHTJTLTMTNTRTTTWTZUAUGUSUYUZVAVEVNXKYEZAZMZW';

function isCountry(code: string): boolean {
  for (let at = 0; at < COUNTRIES.length; at += 2) if (COUNTRIES.startsWith(code, at)) return true;
  return false;
}

/** Bank identifier (ISO 9362) with a digit in it. */
export const bicCode: ShapeDetector = {
  entity: 'BIC_CODE',
  score: 0.3,
  weak: 'always',
  shapes: ['AAAAAAX9', 'AAAAAA9X', 'AAAAAAAAXXX', 'AAAAAAX9XXX', 'AAAAAA9XXXX'],
  context: ['bic', 'swift', 'bank', 'iban'],
  contextScore: 0.8,
  check: (compact, raw) => raw === compact && isCountry(compact.slice(4, 6)),
};

const NAME_UNITS_MAX = 16;
const NAMED = /(?:^|[^a-z])(?:bic|swift)(?:[ _-]?(?:bic|code))?["']?$/i;
const VALUE = /[\s"']{0,4}([A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?)(?![0-9A-Za-z_])/y;

/** Bank identifiers of letters alone are words like any other: only right behind `BIC:`, `SWIFT code=`. */
export const namedBic: AnchorDetector = {
  entity: 'BIC_CODE',
  score: 0.8,
  anchors: ':=',
  at(text, index, report, bytes) {
    const quoted = byteAt(bytes, index - 1) === 34 || byteAt(bytes, index - 1) === 39;
    const last = byteAt(bytes, quoted ? index - 2 : index - 1) | 32;
    // c of bic, t of swift, e of code.
    if ((last !== 99 && last !== 116 && last !== 101) || (classAt(bytes, index - 3) & LETTER) === 0) return;
    if (!NAMED.test(text.slice(Math.max(0, index - NAME_UNITS_MAX), index))) return;
    VALUE.lastIndex = index + 1;
    const value = VALUE.exec(text)?.[1];
    if (value !== undefined && isCountry(value.slice(4, 6))) report(VALUE.lastIndex - value.length, VALUE.lastIndex);
  },
};
