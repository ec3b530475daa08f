import { DIGIT, LETTER } from './characters.ts';

/** Layouts are compared by a 30-bit hash of digit, letter, separator; `check` sees the text itself. */
export const SHAPE_SEED = 0x2f0b4c47;
export const SHAPE_UNITS_MAX = 40;
/** Words (runs without separator) in one layout. */
export const SHAPE_WORDS_MAX = 8;
/** Letters in a word of letters that opens a layout with more than one word. */
export const SHAPE_LETTERS_MAX = 4;

const KIND = { '9': 1, A: 2, _: 3 } as const;

export function shapeStep(hash: number, kind: number): number {
  return Math.imul(hash ^ kind, 0x01000193) & 0x3fffffff;
}

/** Kind of a character that is a letter or a digit, by its class bits. */
export const kindOf = (bits: number): number => ((bits & DIGIT) !== 0 ? KIND['9'] : KIND.A);
export const SEPARATOR_KIND: number = KIND._;

/** `9{3}` is `999`. */
export function unfold(shape: string): string {
  return shape.replace(/([9AX_])\{(\d+)\}/g, (_, unit: string, count: string) => unit.repeat(Number(count)));
}

/** Hashes of every layout a shape stands for: each `X` doubles them. */
export function shapeHashes(shape: string): number[] {
  let hashes = [SHAPE_SEED];
  for (const unit of unfold(shape)) {
    const kinds = unit === 'X' ? [KIND['9'], KIND.A] : [KIND[unit as keyof typeof KIND]];
    hashes = hashes.flatMap((hash) => kinds.map((kind) => shapeStep(hash, kind)));
  }
  return hashes;
}

/** Hashes of what stands up to and with each separator of a shape. */
export function shapePrefixHashes(shape: string): number[] {
  const flat = unfold(shape);
  return [...flat].flatMap((unit, index) => (unit === '_' ? shapeHashes(flat.slice(0, index + 1)) : []));
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

export const WORD_BITS = DIGIT | LETTER;
