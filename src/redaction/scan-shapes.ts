import { byteAt, classAt, CLASSES, DIGIT, LETTER, SEPARATOR } from './characters.ts';
import type { Collector } from './collector.ts';
import type { ShapeEntry } from './entries.ts';
import { bracketLength, placeholderEndsAt } from './placeholder.ts';
import { SHAPE_START, type ShapeEnding, type ShapeGroup, type ShapeTable } from './shape-table.ts';
import {
  DIGIT_KIND,
  LETTER_KIND,
  SEPARATOR_KIND,
  SEPARATOR_PLACES,
  separatorBit,
  SHAPE_LETTERS_MAX,
  SHAPE_UNITS_MAX,
  WORD_BITS,
} from './shapes.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** Tries layouts from a word with a digit, and from the one or two short words of letters right before it. */
export function shapesAround(
  text: string,
  bytes: Uint8Array,
  start: number,
  shapes: ShapeTable,
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
function shapesFrom(text: string, bytes: Uint8Array, start: number, table: ShapeTable, collector: Collector): void {
  const { next, rows, digits, endings } = table;
  let state = SHAPE_START;
  let index = start;
  let letters = 0;
  let separators = 0;
  let separator = 0;
  for (;;) {
    // Most words are digits: those are one step.
    const word = index;
    while (isDigit(bytes[index] as number)) if (++index - word > SHAPE_UNITS_MAX) return;
    state = digits[(rows[state] as number) + index - word] as number;
    let bits = CLASSES[bytes[index] as number] as number;
    while ((bits & WORD_BITS) !== 0 && state !== 0) {
      letters |= bits & LETTER;
      state = next[state * 4 + ((bits & DIGIT) !== 0 ? DIGIT_KIND : LETTER_KIND)] as number;
      bits = CLASSES[bytes[++index] as number] as number;
    }
    if (state === 0) return;
    const ending = endings[state];
    if (ending !== undefined) {
      const group = groupOf(ending, separators, separator);
      if (group !== undefined) tryGroup(text, bytes, start, index, group, collector, letters !== 0, separators);
    }
    if ((bits & SEPARATOR) === 0) return;
    state = next[state * 4 + SEPARATOR_KIND] as number;
    if (state === 0) return;
    separator = bytes[index] as number;
    separators |= separatorBit(separator);
    index++;
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

function groupOf(ending: ShapeEnding, separators: number, separator: number): ShapeGroup | undefined {
  if (separators === 0) return ending.together;
  return (separators & (separators - 1)) === 0 ? ending.separated[SEPARATOR_PLACES[separator] as number] : ending.mixed;
}

/** Part of a longer number or name: `12-` before, `.34` after, `_`, `+` or `ü` at either side. A placeholder counts as what it replaced. */
function isAttached(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const left = byteAt(bytes, start - 1);
  if (left === 95 || left === 43 || isAccented(text, start - 1, left)) return true;
  // `\u05db`, `\n`: the letter is part of an escape.
  if (left === 92 && (classAt(bytes, start) & LETTER) !== 0) return true;
  if (isJoint(left) && ((classAt(bytes, start - 2) & DIGIT) !== 0 || placeholderEndsAt(text, start - 1))) return true;
  const right = bytes[end] as number;
  if (right === 95 || isAccented(text, end, right)) return true;
  return isJoint(right) && ((classAt(bytes, end + 1) & DIGIT) !== 0 || bracketLength(text, end + 1) > 0);
}

/** A Latin letter beyond ASCII: part of the word. Scripts written without spaces may touch a number. */
function isAccented(text: string, index: number, byte: number): boolean {
  if (byte !== BEYOND_ASCII) return false;
  const code = text.charCodeAt(index);
  return code >= 0xc0 && code < 0x250 && code !== 0xd7 && code !== 0xf7;
}

/** `-`, `.` or `/`. */
const isJoint = (code: number): boolean => code === 45 || code === 46 || code === 47;

function tryGroup(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  group: ShapeGroup,
  collector: Collector,
  letters: boolean,
  separators: number,
): void {
  const { sure, weak, words } = group;
  if (isAttached(text, bytes, start, end)) return;
  const weakToo = weak.length > 0 && (!collector.strong || collector.hasWord(start, words));
  if (sure.length > 0) tryShapes(text, bytes, start, end, sure, collector, letters, separators, false);
  if (weakToo) tryShapes(text, bytes, start, end, weak, collector, letters, separators, collector.strong);
}

function tryShapes(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  entries: readonly ShapeEntry[],
  collector: Collector,
  letters: boolean,
  separators: number,
  needsWord: boolean,
): void {
  let raw: string | undefined;
  let compact = '';
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index] as ShapeEntry;
    // Only of several separators it is not known yet.
    if ((separators & ~entry.separators) !== 0) continue;
    const { lexicon } = entry.facts;
    if (needsWord && (lexicon === undefined || !collector.isNear(start, lexicon))) continue;
    let verdict: boolean | number = true;
    if (entry.likely !== undefined) {
      verdict = entry.likely.call(entry.detector, bytes, start, end);
      if (verdict === false) continue;
    }
    if (verdict === true && entry.check !== undefined) {
      if (raw === undefined) {
        raw = text.slice(start, end);
        compact = separators === 0 ? raw : withoutSeparators(raw, bytes, start);
        if (letters) compact = compact.toUpperCase();
      }
      verdict = entry.check.call(entry.detector, compact, raw);
      if (verdict === false) continue;
    }
    collector.facts = entry.facts;
    collector.report(start, end, verdict === true ? undefined : verdict);
  }
}

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
