import { invalidOptions } from '../core/errors.ts';
import { type ContextIndex, contextIndex, type Lexicon, lexicon } from './context-index.ts';
import {
  type AnchorEntry,
  anchorEntry,
  factsOf,
  type PrefixEntry,
  prefixEntry,
  type SearchEntry,
  type ShapeEntry,
  shapeEntry,
  type TokenEntry,
  tokenEntry,
} from './entries.ts';
import { prefixGate, type PrefixGate } from './prefix-gate.ts';
import { type ShapeTable, shapeTable } from './shape-table.ts';
import { shapeProblem } from './shapes.ts';
import { type SkipTable, skipTable } from './skip-plain.ts';
import type { Detector } from './types.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** Detectors sorted by what wakes them, so that one pass over a text wakes only those that could match. */
export interface Plan {
  readonly shapes: ShapeTable | undefined;
  readonly anchors: readonly (readonly AnchorEntry[] | undefined)[];
  /**
   * By the token's length, for those that begin with a letter; then as many lists for each digit that one may begin with.
   * The last list of each is for all that are longer.
   */
  readonly tokens: readonly (readonly TokenEntry[])[];
  readonly prefixes: PrefixGate;
  /** By code, with 128 for all beyond ASCII: 1 where something other than a word has to be looked at. */
  readonly wakes: Uint8Array;
  readonly skip: SkipTable | undefined;
  readonly searches: readonly SearchEntry[];
  readonly context: ContextIndex;
  /** Detectors by entity, for policies that name a group. */
  readonly groups: ReadonlyMap<string, string>;
}

/** Tokens from this length on are asked one by one whether they are too long. */
export const TOKEN_UNITS_LISTED = 100;
/** Lists of one kind of opening. */
export const TOKEN_LISTS: number = TOKEN_UNITS_LISTED + 1;

const compiled = new WeakMap<readonly Detector[], Plan>();

/** Compiles a list of detectors once; the same array gives the same plan. */
export function compile(detectors: readonly Detector[]): Plan {
  const known = compiled.get(detectors);
  if (known) return known;
  const plan = build(detectors);
  compiled.set(detectors, plan);
  return plan;
}

function build(detectors: readonly Detector[]): Plan {
  const shapes: ShapeEntry[] = [];
  const anchors: (AnchorEntry[] | undefined)[] = Array.from({ length: 128 }, () => undefined);
  const tokens: TokenEntry[] = [];
  const prefixed: PrefixEntry[] = [];
  const searches: SearchEntry[] = [];
  const groups = new Map<string, string>();
  const lexicons: Lexicon[] = [];
  for (const detector of new Set(detectors)) {
    validate(detector);
    groups.set(detector.entity, detector.group === 'secret' ? 'secrets' : 'personal');
    const words = detector.context ? lexicon(detector.context, lexicons.length) : undefined;
    if (words) lexicons.push(words);
    const facts = factsOf(detector, words);
    if ('shapes' in detector) shapes.push(shapeEntry(detector, facts));
    else if ('at' in detector) {
      const entry = anchorEntry(detector, facts);
      for (const anchor of detector.anchors) push(anchors, anchor.charCodeAt(0), entry);
    } else if ('token' in detector) tokens.push(tokenEntry(detector, facts));
    else if ('from' in detector) {
      for (const prefix of detector.prefixes) prefixed.push(prefixEntry(detector, facts, prefix));
    } else searches.push({ facts, detector });
  }
  const context = contextIndex(lexicons);
  const prefixes = prefixGate(prefixed);
  const wakes = Uint8Array.from({ length: 256 }, (_, code) =>
    anchors[code] !== undefined || code === 91 || code === BEYOND_ASCII ? 1 : 0,
  );
  return {
    shapes: shapes.length > 0 ? shapeTable(shapes, context) : undefined,
    anchors,
    tokens: ['', ...'0123456789'].flatMap((digit) => tokensByLength(tokens, digit)),
    prefixes,
    wakes,
    skip: skipTable(wakes, prefixes),
    searches,
    context,
    groups,
  };
}

/** Of those that begin with a digit, or with a letter when there is none. */
function tokensByLength(tokens: readonly TokenEntry[], digit: string): readonly (readonly TokenEntry[])[] {
  const opening = tokens.filter(({ detector: { opens, digits } }) =>
    digit === '' ? opens !== 'digit' : opens !== 'letter' && (digits?.includes(digit) ?? true),
  );
  return Array.from({ length: TOKEN_LISTS }, (_, length) =>
    opening.filter(
      ({ lengthMin, lengthMax }) => lengthMax >= length && (lengthMin <= length || length === TOKEN_UNITS_LISTED),
    ),
  );
}

function validate(detector: Detector): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{1,47}$/.test(detector.entity)) {
    throw invalidOptions('detectors', 'An entity is named by 2 to 48 ASCII letters, digits, _ or -.');
  }
  if (!(detector.score >= 0 && detector.score <= 1)) {
    throw invalidOptions('detectors', `The score of ${detector.entity} must be a number from 0 to 1.`);
  }
  for (const shape of 'shapes' in detector ? detector.shapes : []) {
    const problem = shapeProblem(shape);
    if (problem) throw invalidOptions('detectors', `A shape of ${detector.entity} ${problem}.`);
  }
}

function push<T>(lists: (T[] | undefined)[], index: number, item: T): void {
  const list = lists[index];
  if (list) list.push(item);
  else lists[index] = [item];
}
