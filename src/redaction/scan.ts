import { CLASSES, DIGIT, LETTER } from './characters.ts';
import type { Collector } from './collector.ts';
import {
  type AnchorEntry,
  type Entry,
  openingKey,
  type Plan,
  type PrefixEntry,
  TOKEN_LISTS,
  TOKEN_UNITS_LISTED,
} from './compile.ts';
import { placeholderLength } from './placeholder.ts';
import { shapesAround } from './scan-shapes.ts';
import { WORD_BITS } from './shapes.ts';
import type { TokenDetector } from './types.ts';
import { BEYOND_ASCII, returnBytes, takeBytes } from './unit-bytes.ts';

/** The single pass: words wake shapes, tokens and prefixes; special characters wake their anchors. */
export function scan(text: string, plan: Plan, collector: Collector): void {
  const bytes = takeBytes(text);
  collector.bytes = bytes;
  try {
    walk(text, bytes, plan, collector);
    for (const { detector, lexicon } of plan.searches) {
      collector.detector = detector;
      collector.lexicon = lexicon;
      detector.find(text, collector.report);
    }
  } finally {
    collector.end();
    returnBytes(bytes);
  }
}

function walk(text: string, bytes: Uint8Array, plan: Plan, collector: Collector): void {
  const { wakes, prefixFilter, prefixEnds, prefixUnitsMin } = plan;
  const { length } = text;
  let index = 0;
  while (index < length) {
    const first = bytes[index] as number;
    let bits = CLASSES[first] as number;
    if ((bits & WORD_BITS) === 0) {
      if (wakes[first] === 1) index = wake(text, bytes, index, first, plan, collector);
      index++;
      continue;
    }
    const start = index;
    while ((bits & LETTER) !== 0) bits = CLASSES[bytes[++index] as number] as number;
    const digits = (bits & DIGIT) !== 0;
    let letters = index > start;
    if (digits) {
      do {
        bits = CLASSES[bytes[++index] as number] as number;
        if ((bits & LETTER) !== 0) letters = true;
      } while ((bits & WORD_BITS) !== 0);
    }
    if (letters) collector.lettersUntil = index;
    // Most words are too short to begin a key by themselves, and end in a space.
    if (index - start >= prefixUnitsMin || prefixEnds[bytes[index] as number] === 1) {
      const key = openingKey(first, bytes[start + 1] as number, start + 2 < length ? (bytes[start + 2] as number) : 0);
      if (prefixFilter[key] === 1) wakePrefixes(text, bytes, start, key, plan, collector);
    }
    if (digits) {
      if (plan.shapes !== undefined) shapesAround(text, bytes, start, plan.shapes, collector);
      wakeTokens(text, bytes, start, index, plan, collector);
    }
  }
}

/** Something other than a letter or a digit: gives where it ends, its last unit. */
function wake(text: string, bytes: Uint8Array, index: number, code: number, plan: Plan, collector: Collector): number {
  if (code === BEYOND_ASCII) {
    collector.lettersUntil = index + 1;
    return index;
  }
  if (code === 91) {
    // Our own placeholders are opaque: nothing is looked for inside them.
    const length = placeholderLength(text, index);
    if (length > 0) {
      collector.lettersUntil = index + length;
      return index + length - 1;
    }
  }
  const entries = plan.anchors[code];
  if (entries === undefined) return index;
  const next = bytes[index + 1] as number;
  for (let at = 0; at < entries.length; at++) {
    const { detector, lexicon, after } = entries[at] as AnchorEntry;
    if (after[next] !== 1) continue;
    collector.detector = detector;
    collector.lexicon = lexicon;
    detector.at(text, index, collector.report, bytes);
  }
  return index;
}

function wakePrefixes(
  text: string,
  bytes: Uint8Array,
  start: number,
  key: number,
  plan: Plan,
  collector: Collector,
): void {
  const listed = plan.prefixes.get(key);
  if (listed === undefined) return;
  for (let index = 0; index < listed.length; index++) {
    const { prefix, last, entry } = listed[index] as PrefixEntry;
    if (bytes[start + prefix.length - 1] !== last || !text.startsWith(prefix, start)) continue;
    collector.detector = entry.detector;
    collector.lexicon = entry.lexicon;
    entry.detector.from(text, start, collector.report, prefix);
  }
}

function wakeTokens(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  plan: Plan,
  collector: Collector,
): void {
  const length = end - start;
  const opening = ((CLASSES[bytes[start] as number] as number) & DIGIT) !== 0 ? TOKEN_LISTS : 0;
  const listed = plan.tokens[opening + Math.min(length, TOKEN_UNITS_LISTED)] as readonly Entry<TokenDetector>[];
  for (let index = 0; index < listed.length; index++) {
    const { detector, lexicon } = listed[index] as Entry<TokenDetector>;
    if (length >= TOKEN_UNITS_LISTED && (length < detector.lengthMin || length > detector.lengthMax)) continue;
    collector.detector = detector;
    collector.lexicon = lexicon;
    detector.token(text, start, end, collector.report, bytes);
  }
}
