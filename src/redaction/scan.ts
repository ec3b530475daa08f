import { CLASSES, DIGIT, LETTER } from './characters.ts';
import type { Collector } from './collector.ts';
import { type Plan, TOKEN_LISTS, TOKEN_UNITS_LISTED } from './compile.ts';
import type { AnchorEntry, PrefixEntry, TokenEntry } from './entries.ts';
import { placeholderLength } from './placeholder.ts';
import { openingKey } from './prefix-gate.ts';
import { shapesAround } from './scan-shapes.ts';
import { WORD_BITS } from './shapes.ts';
import { skipPlain } from './skip-plain.ts';
import { BEYOND_ASCII, pairsOf, returnBytes, takeBytes } from './unit-bytes.ts';

/** The single pass: words wake shapes, tokens and prefixes; special characters wake their anchors. */
export function scan(text: string, plan: Plan, collector: Collector): void {
  const bytes = takeBytes(text);
  collector.bytes = bytes;
  try {
    walk(text, bytes, plan, collector);
    for (const { detector, facts } of plan.searches) {
      collector.facts = facts;
      detector.find(text, collector.report);
    }
  } finally {
    collector.end();
    returnBytes(bytes);
  }
}

function walk(text: string, bytes: Uint8Array, plan: Plan, collector: Collector): void {
  const { wakes, skip, shapes } = plan;
  const { listAt, ends, unitsMin } = plan.prefixes;
  const { length } = text;
  const pairs = pairsOf(bytes);
  let index = 0;
  while (index < length) {
    if (skip !== undefined) {
      const from = index;
      index = skipPlain(bytes, pairs, index, skip);
      // Where the letters among them end.
      let letters = index;
      while (letters > from && ((CLASSES[bytes[letters - 1] as number] as number) & LETTER) === 0) letters--;
      if (letters > from) collector.lettersUntil = letters;
      if (index >= length) return;
    }
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
    if (index - start >= unitsMin || ends[bytes[index] as number] === 1) {
      const third = start + 2 < length ? (bytes[start + 2] as number) : 0;
      const place = listAt[openingKey(first, bytes[start + 1] as number, third)] as number;
      if (place > 0) wakePrefixes(text, bytes, start, plan.prefixes.lists[place - 1] as PrefixEntry[], collector);
    }
    if (digits) {
      if (shapes !== undefined) shapesAround(text, bytes, start, shapes, collector);
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
    const entry = entries[at] as AnchorEntry;
    if (entry.after[next] !== 1) continue;
    collector.facts = entry.facts;
    entry.at.call(entry.detector, text, index, collector.report, bytes);
  }
  return index;
}

function wakePrefixes(
  text: string,
  bytes: Uint8Array,
  start: number,
  listed: readonly PrefixEntry[],
  collector: Collector,
): void {
  for (let index = 0; index < listed.length; index++) {
    const entry = listed[index] as PrefixEntry;
    const { prefix } = entry;
    if (bytes[start + prefix.length - 1] !== entry.last || !text.startsWith(prefix, start)) continue;
    collector.facts = entry.facts;
    entry.from.call(entry.detector, text, start, collector.report, prefix, bytes);
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
  const first = bytes[start] as number;
  const opening = first < 58 ? first - 47 : 0;
  const listed = plan.tokens[opening * TOKEN_LISTS + Math.min(length, TOKEN_UNITS_LISTED)] as readonly TokenEntry[];
  for (let index = 0; index < listed.length; index++) {
    const entry = listed[index] as TokenEntry;
    if (length >= TOKEN_UNITS_LISTED && (length < entry.lengthMin || length > entry.lengthMax)) continue;
    const { facts, weak } = entry;
    if (weak !== undefined && collector.strong && collector.isBare(start, facts.lexicon)) {
      if (weak.call(entry.detector, bytes, start, end)) continue;
    }
    collector.facts = facts;
    entry.token.call(entry.detector, text, start, end, collector.report, bytes);
  }
}
