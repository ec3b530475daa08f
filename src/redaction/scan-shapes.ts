import { byteAt, classAt, CLASSES, DIGIT, LETTER, SEPARATOR } from './characters.ts';
import type { Collector } from './collector.ts';
import type { ShapeEntry } from './compile.ts';
import { SCORE_MIN } from './limits.ts';
import { bracketLength, placeholderEndsAt } from './placeholder.ts';
import {
  DIGIT_KIND,
  LETTER_KIND,
  SEPARATOR_KIND,
  separatorBit,
  SHAPE_LETTERS_MAX,
  SHAPE_START,
  type ShapeTable,
  WORD_BITS,
} from './shapes.ts';

/** Tries layouts from a word with a digit, and from the one or two short words of letters right before it. */
export function shapesAround(
  text: string,
  bytes: Uint8Array,
  start: number,
  shapes: ShapeTable<ShapeEntry>,
  collector: Collector,
): void {
  shapesFrom(text, bytes, start, shapes, collector);
  const before = shortWordBefore(bytes, start);
  if (before < 0) return;
  shapesFrom(text, bytes, before, shapes, collector);
  const beforeThat = shortWordBefore(bytes, before);
  if (beforeThat >= 0) shapesFrom(text, bytes, beforeThat, shapes, collector);
}

/** Start of the word of one to four letters that ends one separator before `start`, or -1. */
function shortWordBefore(bytes: Uint8Array, start: number): number {
  if (start < 2 || ((CLASSES[bytes[start - 1] as number] as number) & SEPARATOR) === 0) return -1;
  const limit = Math.max(0, start - 2 - SHAPE_LETTERS_MAX);
  let from = start - 1;
  while (from > limit && ((CLASSES[bytes[from - 1] as number] as number) & LETTER) !== 0) from--;
  const units = start - 1 - from;
  if (units === 0 || units > SHAPE_LETTERS_MAX) return -1;
  return from > 0 && ((CLASSES[bytes[from - 1] as number] as number) & DIGIT) !== 0 ? -1 : from;
}

/** Tries every layout that begins at `start`: one walk over words and single separators, as far as some layout goes on. */
function shapesFrom(
  text: string,
  bytes: Uint8Array,
  start: number,
  { next, items }: ShapeTable<ShapeEntry>,
  collector: Collector,
): void {
  let state = SHAPE_START;
  let index = start;
  let letters = 0;
  let separators = 0;
  for (;;) {
    let bits = CLASSES[bytes[index] as number] as number;
    while ((bits & WORD_BITS) !== 0) {
      letters |= bits & LETTER;
      state = next[state * 4 + ((bits & DIGIT) !== 0 ? DIGIT_KIND : LETTER_KIND)] as number;
      if (state === 0) return;
      bits = CLASSES[bytes[++index] as number] as number;
    }
    const entries = items[state];
    if (entries !== undefined && isAllowed(entries, separators) && !isAttached(text, bytes, start, index))
      tryShapes(text, bytes, start, index, entries, collector, letters !== 0, separators);
    if ((bits & SEPARATOR) === 0) return;
    state = next[state * 4 + SEPARATOR_KIND] as number;
    if (state === 0) return;
    separators |= separatorBit(bytes[index] as number);
    index++;
  }
}

/** Whether one of the detectors takes these separators: most lists of numbers end here. */
function isAllowed(entries: readonly ShapeEntry[], separators: number): boolean {
  for (let index = 0; index < entries.length; index++)
    if ((separators & ~(entries[index] as ShapeEntry).separators) === 0) return true;
  return false;
}

/** Part of a longer number or name: `12-` before, `.34` after, `_` or `+` at either side. A placeholder counts as what it replaced. */
function isAttached(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const left = byteAt(bytes, start - 1);
  if (left === 95 || left === 43) return true;
  if (isJoint(left) && ((classAt(bytes, start - 2) & DIGIT) !== 0 || placeholderEndsAt(text, start - 1))) return true;
  const right = bytes[end] as number;
  if (right === 95) return true;
  return isJoint(right) && ((classAt(bytes, end + 1) & DIGIT) !== 0 || bracketLength(text, end + 1) > 0);
}

/** `-`, `.` or `/`. */
const isJoint = (code: number): boolean => code === 45 || code === 46 || code === 47;

function tryShapes(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  entries: readonly ShapeEntry[],
  collector: Collector,
  letters: boolean,
  separators: number,
): void {
  let raw: string | undefined;
  let compact = '';
  const mixed = (separators & (separators - 1)) !== 0;
  const strong = collector.scoreMin >= SCORE_MIN;
  for (let index = 0; index < entries.length; index++) {
    const { detector, lexicon, separators: allowed } = entries[index] as ShapeEntry;
    if ((separators & ~allowed) !== 0 || (mixed && !detector.mixed)) continue;
    if (needsWord(detector.weak, separators) && strong && collector.isBare(start, lexicon)) continue;
    if (detector.likely !== undefined && !detector.likely(bytes, start, end)) continue;
    if (raw === undefined) {
      raw = text.slice(start, end);
      compact = separators === 0 ? raw : withoutSeparators(raw, bytes, start);
      if (letters) compact = compact.toUpperCase();
    }
    const verdict = detector.check ? detector.check(compact, raw) : true;
    if (verdict === false) continue;
    collector.detector = detector;
    collector.lexicon = lexicon;
    collector.report(start, end, verdict === true ? undefined : verdict);
  }
}

/** Scores too little by itself. */
const needsWord = (weak: 'always' | 'together' | undefined, separators: number): boolean =>
  weak === 'always' || (weak === 'together' && separators === 0);

function withoutSeparators(raw: string, bytes: Uint8Array, start: number): string {
  let compact = '';
  let from = 0;
  for (let index = 0; index < raw.length; index++) {
    if (((CLASSES[bytes[start + index] as number] as number) & WORD_BITS) !== 0) continue;
    compact += raw.slice(from, index);
    from = index + 1;
  }
  return compact + raw.slice(from);
}
