import type { ShapeDetector } from '../types.ts';

const COUNTRIES =
  'ADAEAFAGALAMAOARATAUAWAZBABBBDBEBFBGBHBJBNBOBRBSBWBYBZCACDCGCHCICLCMCNCOCRCVCYCZDEDJDKDODZECEEEGESETFIFJFOFRGAGBGDGEGHGIGLGMGNGRGTGY' +
  'HKHNHRHTHUIDIEILINIQIRISITJMJOJPKEKGKHKMKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMGMKMLMMMNMOMRMTMUMVMWMXMYMZNANENGNINLNONPNZOMPAPEPGPHPK' +
  'PLPSPTPYQARORSRURWSASCSDSESGSISKSLSMSNSRSVSYSZTDTGTHTJTLTMTNTRTTTWTZUAUGUSUYUZVAVEVNXKYEZAZMZW';

/** Bank identifier (ISO 9362) with a digit in it, or any beside a word like "BIC". Letters alone are left to context in text. */
export const bicCode: ShapeDetector = {
  entity: 'BIC_CODE',
  score: 0.3,
  weak: 'always',
  shapes: ['AAAAAAX9', 'AAAAAA9X', 'AAAAAAAAXXX', 'AAAAAAX9XXX', 'AAAAAA9XXXX'],
  context: ['bic', 'swift', 'bank', 'iban'],
  contextScore: 0.8,
  check(compact, raw) {
    if (raw !== compact) return false;
    const country = compact.slice(4, 6);
    for (let at = 0; at < COUNTRIES.length; at += 2) if (COUNTRIES.startsWith(country, at)) return true;
    return false;
  },
};
