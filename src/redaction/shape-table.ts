import { SEPARATORS } from './characters.ts';
import { type ContextIndex, maskOf } from './context-index.ts';
import type { ShapeEntry } from './entries.ts';
import { DIGIT_KIND, LETTER_KIND, SEPARATOR_KIND, separatorBit, SHAPE_UNITS_MAX, unfold } from './shapes.ts';

const KINDS: Readonly<Record<string, readonly number[]>> = {
  '9': [DIGIT_KIND],
  A: [LETTER_KIND],
  X: [DIGIT_KIND, LETTER_KIND],
  _: [SEPARATOR_KIND],
};

/** All layouts as one table: from a state, the kind of the next unit leads to the next state. */
export interface ShapeTable {
  /** `next[state * 4 + kind]`; 0 when no layout goes on like that. */
  readonly next: Int32Array;
  /** By state, where its row of `digits` begins, for states in which a word begins. */
  readonly rows: Int32Array;
  /** Where so many digits lead at once: `digits[rows[state] + count]`. */
  readonly digits: Int32Array;
  /** Who is asked when a word ends in this state. */
  readonly endings: readonly (ShapeEnding | undefined)[];
}

/** Who is asked about a text of one layout, by how it is separated. */
export interface ShapeEnding {
  readonly together: ShapeGroup | undefined;
  /** By the separator's place, when it is the same throughout. */
  readonly separated: readonly (ShapeGroup | undefined)[];
  /** With several separators; asked one by one whether they take them. */
  readonly mixed: ShapeGroup | undefined;
}

export interface ShapeGroup {
  readonly sure: readonly ShapeEntry[];
  /** Those whose hits score below 0.5 without one of `words` before them. */
  readonly weak: readonly ShapeEntry[];
  readonly words: Int32Array;
}

/** The first state; 0 leads nowhere. */
export const SHAPE_START = 1;

export function shapeTable(entries: readonly ShapeEntry[], context: ContextIndex): ShapeTable {
  const next: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  const items: (ShapeEntry[] | undefined)[] = [undefined, undefined];
  const together: boolean[] = [true, true];
  const step = (state: number, kind: number): number => {
    const known = next[state * 4 + kind] as number;
    if (known !== 0) return known;
    const made = items.length;
    next[state * 4 + kind] = made;
    next.push(0, 0, 0, 0);
    items.push(undefined);
    together.push(kind !== SEPARATOR_KIND && together[state] === true);
    return made;
  };
  for (const entry of entries) {
    for (const shape of entry.detector.shapes) {
      let states = [SHAPE_START];
      for (const unit of unfold(shape)) {
        states = states.flatMap((state) => (KINDS[unit] ?? []).map((kind) => step(state, kind)));
      }
      for (const state of states) {
        const list = items[state];
        if (list === undefined) items[state] = [entry];
        else if (!list.includes(entry)) list.push(entry);
      }
    }
  }
  const endings = items.map((list, state) => list && endingOf(list, together[state] === true, context));
  return { next: Int32Array.from(next), ...digitRows(next), endings };
}

function digitRows(next: readonly number[]): Pick<ShapeTable, 'rows' | 'digits'> {
  const begins = new Set([SHAPE_START]);
  for (let at = SEPARATOR_KIND; at < next.length; at += 4) begins.add(next[at] as number);
  const rows = new Int32Array(next.length / 4);
  const digits: number[] = [];
  for (const state of begins) {
    rows[state] = digits.length;
    for (let at = state, count = 0; count <= SHAPE_UNITS_MAX; count++) {
      digits.push(at);
      at = next[at * 4 + DIGIT_KIND] as number;
    }
  }
  return { rows, digits: Int32Array.from(digits) };
}

/** A state stands for one way of beginning: it is known whether there are separators in it. */
function endingOf(entries: readonly ShapeEntry[], together: boolean, context: ContextIndex): ShapeEnding {
  const always = ({ weak }: ShapeEntry): boolean => weak === 'always';
  if (together)
    return { together: groupOf(entries, ({ weak }) => weak !== 'never', context), separated: [], mixed: undefined };
  const separated = [...SEPARATORS].map((separator) => {
    const bit = separatorBit(separator.charCodeAt(0));
    return groupOf(
      entries.filter(({ separators }) => (separators & bit) !== 0),
      always,
      context,
    );
  });
  return {
    together: undefined,
    separated,
    mixed: groupOf(
      entries.filter(({ mixed }) => mixed),
      always,
      context,
    ),
  };
}

function groupOf(
  entries: readonly ShapeEntry[],
  isWeak: (entry: ShapeEntry) => boolean,
  context: ContextIndex,
): ShapeGroup | undefined {
  if (entries.length === 0) return undefined;
  const weak = entries.filter(isWeak);
  return {
    sure: entries.filter((entry) => !isWeak(entry)),
    weak,
    words: maskOf(
      weak.map(({ facts }) => facts.lexicon),
      context.size,
    ),
  };
}
