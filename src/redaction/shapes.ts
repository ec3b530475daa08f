import { DIGIT, LETTER } from './characters.ts';

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

const KINDS: Readonly<Record<string, readonly number[]>> = {
  '9': [DIGIT_KIND],
  A: [LETTER_KIND],
  X: [DIGIT_KIND, LETTER_KIND],
  _: [SEPARATOR_KIND],
};

/** All layouts as one table: from a state, the kind of the next unit leads to the next state. */
export interface ShapeTable<Item> {
  /** `next[state * 4 + kind]`; 0 when no layout goes on like that. */
  readonly next: Int32Array;
  /** What is laid out so when a text ends in this state. */
  readonly items: readonly (readonly Item[] | undefined)[];
}

/** The first state; 0 leads nowhere. */
export const SHAPE_START = 1;

export function shapeTable<Item>(
  layouts: Iterable<readonly [item: Item, shapes: readonly string[]]>,
): ShapeTable<Item> {
  const next: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  const items: (Item[] | undefined)[] = [undefined, undefined];
  const step = (state: number, kind: number): number => {
    const known = next[state * 4 + kind] as number;
    if (known !== 0) return known;
    const made = items.length;
    next[state * 4 + kind] = made;
    next.push(0, 0, 0, 0);
    items.push(undefined);
    return made;
  };
  for (const [item, shapes] of layouts) {
    for (const shape of shapes) {
      let states = [SHAPE_START];
      for (const unit of unfold(shape)) {
        states = states.flatMap((state) => (KINDS[unit] ?? []).map((kind) => step(state, kind)));
      }
      for (const state of states) {
        const list = items[state];
        if (list === undefined) items[state] = [item];
        else if (!list.includes(item)) list.push(item);
      }
    }
  }
  return { next: Int32Array.from(next), items };
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
