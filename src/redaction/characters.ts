/** Character classes as bits, for one table look-up per character. */
export const DIGIT = 1;
export const LETTER = 2;
export const HEX = 4;
export const SEPARATOR = 8;
export const SPACE = 16;
/** Stands inside keys and tokens: letters, digits, `-`, `_`. */
export const KEY = 32;
/** Base64 of either alphabet and what tokens use as joints: `+ / = . ~` on top of KEY. */
export const TOKEN = 64;
/** May stand in a URL after its host. */
export const URL_UNIT = 128;

/** Characters that may separate the words of a layout. */
export const SEPARATORS = ' +-./:_';

/** Bits by code; zero from 128 on, so that a byte of any value can be looked up. */
export const CLASSES: Uint8Array = new Uint8Array(256);
mark('0123456789', DIGIT | HEX | KEY | TOKEN | URL_UNIT);
mark('abcdefABCDEF', HEX);
mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', LETTER | KEY | TOKEN | URL_UNIT);
mark(SEPARATORS, SEPARATOR);
mark(' \t\n\r\f\v', SPACE);
mark('-_', KEY | TOKEN | URL_UNIT);
mark('+/=.~', TOKEN | URL_UNIT);
mark("?#%&@:;,!$*()'", URL_UNIT);

function mark(characters: string, bits: number): void {
  for (let index = 0; index < characters.length; index++) {
    const code = characters.charCodeAt(index);
    CLASSES[code] = (CLASSES[code] as number) | bits;
  }
}

/** Class bits of a UTF-16 unit; 0 outside ASCII. */
export function classOf(code: number): number {
  return code < 128 ? (CLASSES[code] as number) : 0;
}

/**
 * The UTF-16 unit at `index`, 0 outside the text. Half the time of a bare `charCodeAt`, which V8 does not compile once it
 * has been asked for a place outside.
 */
export function codeAt(text: string, index: number): number {
  return index >= 0 && index < text.length ? text.charCodeAt(index) : 0;
}

/** The same of a text as bytes: the class bits at `index`, which may be before the text or up to 60 units behind it. */
export function classAt(bytes: Uint8Array, index: number): number {
  return index >= 0 ? (CLASSES[bytes[index] as number] as number) : 0;
}

/** The byte at `index`, 0 before the text. */
export function byteAt(bytes: Uint8Array, index: number): number {
  return index >= 0 ? (bytes[index] as number) : 0;
}

export function is(text: string, index: number, bits: number): boolean {
  return (classOf(codeAt(text, index)) & bits) !== 0;
}

/** End of the run of `bits` that begins at `from`, looking no further than `limit`. */
export function runEnd(text: string, from: number, bits: number, limit: number = text.length): number {
  const stop = Math.min(limit, text.length);
  let index = from;
  while (index < stop && (classOf(codeAt(text, index)) & bits) !== 0) index++;
  return index;
}

/** Start of the run of `bits` that ends before `to`, looking back no further than `limit`. */
export function runStart(text: string, to: number, bits: number, limit: number): number {
  const stop = Math.max(limit, 0);
  let index = to;
  while (index > stop && (classOf(codeAt(text, index - 1)) & bits) !== 0) index--;
  return index;
}
