import { DIGIT, LETTER, SEPARATORS } from './characters.ts';

export const SHAPE_UNITS_MAX = 40;
/** Words (runs without separator) in one layout. */
export const SHAPE_WORDS_MAX = 8;
/** Letters in a word of letters that opens a layout with more than one word. */
export const SHAPE_LETTERS_MAX = 4;

/** Kinds of a unit in a layout; 0 is none of them. */
export const DIGIT_KIND = 1;
export const LETTER_KIND = 2;
export const SEPARATOR_KIND = 3;
export const WORD_BITS: number = DIGIT | LETTER;

/** By code, the place of a separator among them. */
export const SEPARATOR_PLACES: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, SEPARATORS.indexOf(String.fromCharCode(code))),
);

/** One bit for each character that may separate. */
export const separatorBit = (code: number): number => 1 << (code & 31);

export function separatorBits(separators: string): number {
  let bits = 0;
  for (let index = 0; index < separators.length; index++) bits |= separatorBit(separators.charCodeAt(index));
  return bits;
}

/** `9{3}` is `999`. */
export function unfold(shape: string): string {
  return shape.replace(/([9AX_])\{(\d+)\}/g, (_, unit: string, count: string) => unit.repeat(Number(count)));
}

/** Says why a shape cannot be used, or nothing. Streams rely on these rules. */
export function shapeProblem(shape: string): string | undefined {
  const flat = unfold(shape);
  if (!/^[9AX](?:_?[9AX])*$/.test(flat)) return 'holds something other than 9 A X and single _';
  if (!/[9X]/.test(flat)) return 'has no digit';
  if (flat.length > SHAPE_UNITS_MAX || flat.split('_').length > SHAPE_WORDS_MAX) return 'is too long';
  if ((flat.match(/X/g)?.length ?? 0) > 8) return 'has more than eight X';
  const words = flat.split('_');
  const wide = words.length > 1 && words.some((word) => /^[AX]+$/.test(word) && word.length > SHAPE_LETTERS_MAX);
  if (wide || /^[AX]+_[AX]+_[AX]+/.test(flat)) return 'opens with more letters than a stream holds back';
  return undefined;
}
