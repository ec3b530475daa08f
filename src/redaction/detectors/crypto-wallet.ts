import { sha256 } from '../../platform/sha256.ts';
import type { TokenDetector } from '../types.ts';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const RIPPLE58 = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** Wallet addresses: Bitcoin and Litecoin (base58check, bech32, bech32m), Dogecoin, Tron, Ripple, Ethereum. */
export const cryptoWallet: TokenDetector = {
  entity: 'CRYPTO',
  score: 0.95,
  lengthMin: 25,
  lengthMax: 90,
  token(text, start, end, report) {
    const source = text.slice(start, end);
    if (/^0x[0-9a-fA-F]{40}$/.test(source)) report(start, end, 0.85);
    else if (/^(?:bc|tb|ltc)1/i.test(source) ? isBech32(source) : isBase58Check(source)) report(start, end);
  },
};

/** Version byte, twenty bytes, four bytes of double SHA-256. */
function isBase58Check(source: string): boolean {
  const ripple = source.startsWith('r');
  if (source.length > 36 || !(ripple || /^[13LMDT2mn]/.test(source))) return false;
  const bytes = base58(source, ripple ? RIPPLE58 : BASE58);
  if (bytes === undefined) return false;
  const check = sha256(sha256(bytes.subarray(0, 21)));
  return [0, 1, 2, 3].every((index) => check[index] === bytes[21 + index]);
}

const ADDRESS_BYTES = 25;
/** Limbs of 24 bits: one times 58 to the power of 4, and what is carried, fit a number exactly. */
const LIMBS = 9;

/** The 25 bytes an address stands for; nothing when it has other characters or stands for more. */
function base58(source: string, alphabet: string): Uint8Array | undefined {
  const limbs = new Array<number>(LIMBS).fill(0);
  for (let index = 0; index < source.length; ) {
    let factor = 1;
    let carry = 0;
    for (const stop = Math.min(index + 4, source.length); index < stop; index++) {
      const value = alphabet.indexOf(source.charAt(index));
      if (value < 0) return undefined;
      factor *= 58;
      carry = carry * 58 + value;
    }
    for (let at = 0; at < LIMBS; at++) {
      const sum = (limbs[at] as number) * factor + carry;
      carry = Math.floor(sum / 0x1000000);
      limbs[at] = sum - carry * 0x1000000;
    }
    if (carry > 0) return undefined;
  }
  // 25 bytes are eight limbs and one byte.
  if ((limbs[LIMBS - 1] as number) > 255) return undefined;
  const bytes = new Uint8Array(ADDRESS_BYTES);
  for (let at = 0; at < ADDRESS_BYTES; at++) {
    bytes[ADDRESS_BYTES - 1 - at] = ((limbs[Math.floor(at / 3)] as number) >> ((at % 3) * 8)) & 255;
  }
  return bytes;
}

/** BIP 173 and BIP 350. */
function isBech32(source: string): boolean {
  const lower = source.toLowerCase();
  if (lower !== source && source.toUpperCase() !== source) return false;
  const split = lower.indexOf('1');
  const values: number[] = [];
  for (let index = 0; index < split; index++) values.push(lower.charCodeAt(index) >> 5);
  values.push(0);
  for (let index = 0; index < split; index++) values.push(lower.charCodeAt(index) & 31);
  for (let index = split + 1; index < lower.length; index++) {
    const value = BECH32.indexOf(lower.charAt(index));
    if (value < 0) return false;
    values.push(value);
  }
  const sum = polymod(values);
  return sum === 1 || sum === 0x2bc830a3;
}

function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].forEach((generator, bit) => {
      if ((top >> bit) & 1) sum ^= generator;
    });
  }
  return sum >>> 0;
}
