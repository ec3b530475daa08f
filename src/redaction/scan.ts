import { classOf, DIGIT, LETTER, SEPARATOR } from './characters.ts';
import type { Collector } from './collector.ts';
import { type Entry, openingKey, type Plan, type ShapeEntry, TOKEN_UNITS_LISTED } from './compile.ts';
import { bracketLength, placeholderEndsAt, placeholderLength } from './placeholder.ts';
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
import type { TokenDetector } from './types.ts';

/** The single pass: words wake shapes, tokens and prefixes; special characters wake their anchors. */
export function scan(text: string, plan: Plan, collector: Collector): void {
  const { anchors, shapes } = plan;
  // The two words before the current one, while they are short, of letters, and one separator apart.
  let before = -1;
  let beforeEnd = -1;
  let beforeThat = -1;
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    let bits = classOf(code);
    if ((bits & WORD_BITS) === 0) {
      if (code > 127) collector.lettersUntil = index + 1;
      else if (code === 91) {
        const length = placeholderLength(text, index);
        if (length > 0) {
          // Our own placeholders are opaque: nothing is looked for inside them.
          index += length;
          collector.lettersUntil = index;
          continue;
        }
      } else if (code !== 32 && anchors[code] !== undefined) wakeAnchors(text, index, plan, collector);
      index++;
      continue;
    }
    const start = index;
    let all = 0;
    do {
      all |= bits;
      index++;
      bits = classOf(text.charCodeAt(index));
    } while ((bits & WORD_BITS) !== 0);
    wakePrefixes(text, start, code, plan, collector);
    const joined = beforeEnd === start - 1 && beforeEnd >= 0 && isSeparator(text, beforeEnd);
    if ((all & ~DIGIT & WORD_BITS) !== 0) collector.lettersUntil = index;
    if ((all & DIGIT) !== 0) {
      if (shapes !== undefined) {
        shapesFrom(text, start, shapes, collector);
        if (joined) shapesFrom(text, before, shapes, collector);
        if (joined && beforeThat >= 0) shapesFrom(text, beforeThat, shapes, collector);
      }
      wakeTokens(text, start, index, plan, collector);
      beforeEnd = -1;
      beforeThat = -1;
    } else if (index - start <= SHAPE_LETTERS_MAX) {
      beforeThat = joined ? before : -1;
      before = start;
      beforeEnd = index;
    } else {
      beforeEnd = -1;
      beforeThat = -1;
    }
  }
  for (const { detector, lexicon } of plan.searches) {
    collector.detector = detector;
    collector.lexicon = lexicon;
    detector.find(text, collector.report);
  }
}

const isSeparator = (text: string, index: number): boolean => (classOf(text.charCodeAt(index)) & SEPARATOR) !== 0;

function wakeAnchors(text: string, index: number, plan: Plan, collector: Collector): void {
  for (const { detector, lexicon } of plan.anchors[text.charCodeAt(index)] ?? []) {
    collector.detector = detector;
    collector.lexicon = lexicon;
    detector.at(text, index, collector.report);
  }
}

function wakePrefixes(text: string, start: number, first: number, plan: Plan, collector: Collector): void {
  const key = openingKey(first, text.charCodeAt(start + 1), text.charCodeAt(start + 2));
  if (plan.prefixFilter[key] !== 1) return;
  for (const { prefix, entry } of plan.prefixes.get(key) ?? []) {
    if (!text.startsWith(prefix, start)) continue;
    collector.detector = entry.detector;
    collector.lexicon = entry.lexicon;
    entry.detector.from(text, start, collector.report, prefix);
  }
}

function wakeTokens(text: string, start: number, end: number, plan: Plan, collector: Collector): void {
  const length = end - start;
  const listed = plan.tokens[Math.min(length, TOKEN_UNITS_LISTED)] as readonly Entry<TokenDetector>[];
  for (let index = 0; index < listed.length; index++) {
    const { detector, lexicon } = listed[index] as Entry<TokenDetector>;
    if (length >= TOKEN_UNITS_LISTED && (length < detector.lengthMin || length > detector.lengthMax)) continue;
    collector.detector = detector;
    collector.lexicon = lexicon;
    detector.token(text, start, end, collector.report);
  }
}

/** Tries every layout that begins at `start`: one walk over words and single separators, as far as some layout goes on. */
function shapesFrom(text: string, start: number, { next, items }: ShapeTable<ShapeEntry>, collector: Collector): void {
  let state = SHAPE_START;
  let index = start;
  let letters = 0;
  let separators = 0;
  for (;;) {
    let bits = classOf(text.charCodeAt(index));
    while ((bits & WORD_BITS) !== 0) {
      letters |= bits & LETTER;
      state = next[state * 4 + ((bits & DIGIT) !== 0 ? DIGIT_KIND : LETTER_KIND)] as number;
      if (state === 0) return;
      index++;
      bits = classOf(text.charCodeAt(index));
    }
    const entries = items[state];
    if (entries !== undefined && !isAttached(text, start, index))
      tryShapes(text, start, index, entries, collector, letters !== 0, separators);
    if ((bits & SEPARATOR) === 0) return;
    state = next[state * 4 + SEPARATOR_KIND] as number;
    if (state === 0) return;
    separators |= separatorBit(text.charCodeAt(index));
    index++;
  }
}

/** Part of a longer number or name: `12-` before, `.34` after, `_` or `+` at either side. A placeholder counts as what it replaced. */
function isAttached(text: string, start: number, end: number): boolean {
  const left = text.charCodeAt(start - 1);
  if (left === 95 || left === 43) return true;
  if (isJoint(left) && ((classOf(text.charCodeAt(start - 2)) & DIGIT) !== 0 || placeholderEndsAt(text, start - 1)))
    return true;
  const right = text.charCodeAt(end);
  if (right === 95) return true;
  return isJoint(right) && ((classOf(text.charCodeAt(end + 1)) & DIGIT) !== 0 || bracketLength(text, end + 1) > 0);
}

/** `-`, `.` or `/`. */
const isJoint = (code: number): boolean => code === 45 || code === 46 || code === 47;

function tryShapes(
  text: string,
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
  for (let index = 0; index < entries.length; index++) {
    const { detector, lexicon, separators: allowed } = entries[index] as ShapeEntry;
    if ((separators & ~allowed) !== 0 || (mixed && !detector.mixed)) continue;
    if (raw === undefined) {
      raw = text.slice(start, end);
      compact = separators === 0 ? raw : withoutSeparators(raw);
      if (letters) compact = compact.toUpperCase();
    }
    const verdict = detector.check ? detector.check(compact, raw) : true;
    if (verdict === false) continue;
    collector.detector = detector;
    collector.lexicon = lexicon;
    collector.report(start, end, verdict === true ? undefined : verdict);
  }
}

function withoutSeparators(raw: string): string {
  let compact = '';
  let from = 0;
  for (let index = 0; index < raw.length; index++) {
    if ((classOf(raw.charCodeAt(index)) & WORD_BITS) !== 0) continue;
    compact += raw.slice(from, index);
    from = index + 1;
  }
  return compact + raw.slice(from);
}
