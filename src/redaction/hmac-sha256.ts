/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104), small and synchronous: the stream path cannot wait for WebCrypto, and
 * `node:crypto` is not everywhere. Used for tags and check sums, not for signatures or passwords.
 */
const CONSTANTS = new Uint32Array(64);
const INITIAL = new Uint32Array(8);
fillConstants();

/** Fractional parts of the roots of the first primes, as the standard defines them. */
function fillConstants(): void {
  const fraction = (value: number): number => ((value - Math.floor(value)) * 2 ** 32) >>> 0;
  let found = 0;
  for (let candidate = 2; found < 64; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) INITIAL[found] = fraction(Math.sqrt(candidate));
    CONSTANTS[found++] = fraction(Math.cbrt(candidate));
  }
}

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function compress(state: Uint32Array, block: Uint8Array, offset: number, words: Uint32Array): void {
  for (let index = 0; index < 16; index++) {
    const at = offset + index * 4;
    words[index] =
      ((block[at] as number) << 24) |
      ((block[at + 1] as number) << 16) |
      ((block[at + 2] as number) << 8) |
      (block[at + 3] as number);
  }
  for (let index = 16; index < 64; index++) {
    const fifteen = words[index - 15] as number;
    const two = words[index - 2] as number;
    const small0 = rotate(fifteen, 7) ^ rotate(fifteen, 18) ^ (fifteen >>> 3);
    const small1 = rotate(two, 17) ^ rotate(two, 19) ^ (two >>> 10);
    words[index] = (words[index - 16] as number) + small0 + (words[index - 7] as number) + small1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < 64; index++) {
    const big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + big1 + ((e & f) ^ (~e & g)) + (CONSTANTS[index] as number) + (words[index] as number)) | 0;
    const big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  const next = [a, b, c, d, e, f, g, h];
  for (let index = 0; index < 8; index++) state[index] = (state[index] as number) + (next[index] as number);
}

/** Hashes `message` on from `start`, a state after `before` bytes (a multiple of 64). */
function finish(start: Uint32Array, message: Uint8Array, before: number): Uint8Array {
  const state = start.slice();
  const words = new Uint32Array(64);
  const whole = message.length - (message.length % 64);
  for (let offset = 0; offset < whole; offset += 64) compress(state, message, offset, words);
  const rest = message.length - whole;
  const tail = new Uint8Array(rest < 56 ? 64 : 128);
  tail.set(message.subarray(whole));
  tail[rest] = 0x80;
  const view = new DataView(tail.buffer);
  const bytes = before + message.length;
  view.setUint32(tail.length - 8, Math.floor(bytes / 0x20000000));
  view.setUint32(tail.length - 4, (bytes << 3) >>> 0);
  for (let offset = 0; offset < tail.length; offset += 64) compress(state, tail, offset, words);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let index = 0; index < 8; index++) out.setUint32(index * 4, state[index] as number);
  return digest;
}

/** SHA-256 of bytes. */
export function sha256(message: Uint8Array): Uint8Array {
  return finish(INITIAL, message, 0);
}

/** HMAC-SHA-256 under one key; the key's two blocks are hashed once. */
export function hmacSha256(key: Uint8Array): (message: Uint8Array) => Uint8Array {
  const short = key.length > 64 ? sha256(key) : key;
  const keyed = (pad: number): Uint32Array => {
    const block = new Uint8Array(64).fill(pad);
    for (let index = 0; index < short.length; index++) block[index] = (short[index] as number) ^ pad;
    const state = INITIAL.slice();
    compress(state, block, 0, new Uint32Array(64));
    return state;
  };
  const inner = keyed(0x36);
  const outer = keyed(0x5c);
  return (message) => finish(outer, finish(inner, message, 64), 64);
}
