/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104), small and synchronous: the stream path cannot wait for WebCrypto, and
 * `node:crypto` is not everywhere. Checked against Node's.
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

/** Used by every block and, of a message's end, by every message: nothing here waits or calls out. */
const words = new Uint32Array(64);
const tail = new Uint8Array(128);

function compress(state: Uint32Array, block: Uint8Array, offset: number): void {
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
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
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
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

/** Hashes `message` on from `start`, a state after `before` bytes (a multiple of 64). */
function finish(start: Uint32Array, message: Uint8Array, before: number): Uint8Array {
  const state = start.slice();
  const rest = message.length % 64;
  const whole = message.length - rest;
  for (let offset = 0; offset < whole; offset += 64) compress(state, message, offset);
  const length = rest < 56 ? 64 : 128;
  tail.fill(0);
  for (let index = 0; index < rest; index++) tail[index] = message[whole + index] as number;
  tail[rest] = 0x80;
  const bytes = before + message.length;
  putWord(tail, length - 8, Math.floor(bytes / 0x20000000));
  putWord(tail, length - 4, bytes << 3);
  for (let offset = 0; offset < length; offset += 64) compress(state, tail, offset);
  const digest = new Uint8Array(32);
  for (let index = 0; index < 8; index++) putWord(digest, index * 4, state[index] as number);
  return digest;
}

function putWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24;
  into[at + 1] = word >>> 16;
  into[at + 2] = word >>> 8;
  into[at + 3] = word;
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
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
    compress(state, block, 0);
    return state;
  };
  const inner = keyed(0x36);
  const outer = keyed(0x5c);
  return (message) => finish(outer, finish(inner, message, 64), 64);
}
