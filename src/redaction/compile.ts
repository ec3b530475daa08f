import { invalidOptions } from '../core/errors.ts';
import { classOf, TOKEN } from './characters.ts';
import { type ContextIndex, contextIndex, type Lexicon, lexicon } from './context-words.ts';
import { separatorBits, shapeProblem, type ShapeTable, shapeTable, WORD_BITS } from './shapes.ts';
import type {
  AnchorDetector,
  Detector,
  PrefixDetector,
  SearchDetector,
  ShapeDetector,
  TokenDetector,
} from './types.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** A detector with its context words. */
export interface Entry<D extends Detector> {
  readonly detector: D;
  readonly lexicon: Lexicon | undefined;
}

/** A detector of single characters, with 1 by code for what may follow one. */
export interface AnchorEntry extends Entry<AnchorDetector> {
  readonly after: Uint8Array;
}

/** One literal of a detector, with its last character as a byte: it tells most texts that only begin alike. */
export interface PrefixEntry {
  readonly prefix: string;
  readonly last: number;
  readonly entry: Entry<PrefixDetector>;
}

/** A detector of layouts, with its separators as bits. */
export interface ShapeEntry extends Entry<ShapeDetector> {
  readonly separators: number;
}

/** Detectors sorted by what wakes them, so that one pass over a text wakes only those that could match. */
export interface Plan {
  readonly shapes: ShapeTable<ShapeEntry> | undefined;
  readonly anchors: readonly (readonly AnchorEntry[] | undefined)[];
  /**
   * By the token's length, for those that begin with a letter; then as many lists for those that begin with a digit. The
   * last list of each is for all that are longer.
   */
  readonly tokens: readonly (readonly Entry<TokenDetector>[])[];
  readonly prefixes: ReadonlyMap<number, readonly PrefixEntry[]>;
  /** 1 where three opening characters, hashed to 14 bits, may be known. */
  readonly prefixFilter: Uint8Array;
  /** 1 for what may follow a word that is shorter than `prefixUnitsMin` where a prefix begins. */
  readonly prefixEnds: Uint8Array;
  /** Shortest word that a prefix may begin with whatever follows. */
  readonly prefixUnitsMin: number;
  /** By code, with 128 for all beyond ASCII: 1 where something other than a word has to be looked at. */
  readonly wakes: Uint8Array;
  readonly searches: readonly Entry<SearchDetector>[];
  readonly context: ContextIndex;
  /** Detectors by entity, for policies that name a group. */
  readonly groups: ReadonlyMap<string, string>;
}

/** Tokens from this length on are asked one by one whether they are too long. */
export const TOKEN_UNITS_LISTED = 100;
/** Lists of one kind of opening. */
export const TOKEN_LISTS: number = TOKEN_UNITS_LISTED + 1;
const PREFIX_FILTER_UNITS = 1 << 14;

/** 14-bit key of three opening characters. */
export const openingKey = (first: number, second: number, third: number): number =>
  (Math.imul(first, 1031) ^ Math.imul(second, 37) ^ Math.imul(third, 9109)) & (PREFIX_FILTER_UNITS - 1);

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
  const shapes: [ShapeEntry, readonly string[]][] = [];
  const anchors: (AnchorEntry[] | undefined)[] = Array.from({ length: 128 }, () => undefined);
  const tokens: Entry<TokenDetector>[] = [];
  const prefixes = new Map<number, PrefixEntry[]>();
  const prefixFilter = new Uint8Array(PREFIX_FILTER_UNITS);
  const searches: Entry<SearchDetector>[] = [];
  const groups = new Map<string, string>();
  const lexicons: Lexicon[] = [];
  for (const detector of new Set(detectors)) {
    validate(detector);
    groups.set(detector.entity, detector.group === 'secret' ? 'secrets' : 'personal');
    const words = detector.context ? lexicon(detector.context, lexicons.length) : undefined;
    if (words) lexicons.push(words);
    if ('shapes' in detector) {
      const separators = separatorBits(detector.separators ?? ' -');
      shapes.push([{ detector, lexicon: words, separators }, detector.shapes]);
    } else if ('at' in detector) {
      const entry = { detector, lexicon: words, after: afterOf(detector) };
      for (const anchor of detector.anchors) push(anchors, anchor.charCodeAt(0), entry);
    } else if ('token' in detector) tokens.push({ detector, lexicon: words });
    else if ('from' in detector) addPrefixes({ detector, lexicon: words }, prefixes, prefixFilter);
    else searches.push({ detector, lexicon: words });
  }
  return {
    shapes: shapes.length > 0 ? shapeTable(shapes) : undefined,
    anchors,
    tokens: [...tokensByLength(tokens, 'letter'), ...tokensByLength(tokens, 'digit')],
    prefixes,
    prefixFilter,
    ...prefixGate([...prefixes.values()].flat()),
    wakes: Uint8Array.from({ length: 256 }, (_, code) =>
      anchors[code] !== undefined || code === 91 || code === BEYOND_ASCII ? 1 : 0,
    ),
    searches,
    context: contextIndex(lexicons),
    groups,
  };
}

function afterOf({ after }: AnchorDetector): Uint8Array {
  if (after === undefined) return new Uint8Array(256).fill(1);
  const codes = new Uint8Array(256);
  for (let index = 0; index < after.length; index++) codes[byteOf(after.charCodeAt(index))] = 1;
  return codes;
}

function tokensByLength(
  tokens: readonly Entry<TokenDetector>[],
  opens: 'digit' | 'letter',
): readonly (readonly Entry<TokenDetector>[])[] {
  return Array.from({ length: TOKEN_LISTS }, (_, length) =>
    tokens.filter(
      ({ detector }) =>
        (detector.opens ?? opens) === opens &&
        detector.lengthMax >= length &&
        (detector.lengthMin <= length || length === TOKEN_UNITS_LISTED),
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

const byteOf = (code: number): number => Math.min(code, BEYOND_ASCII);

/** A hit that is one run of token characters is longer than the words of a language, or goes on with a sign. */
function prefixGate(prefixes: readonly PrefixEntry[]): Pick<Plan, 'prefixEnds' | 'prefixUnitsMin'> {
  const prefixEnds = new Uint8Array(256);
  let prefixUnitsMin = Number.MAX_SAFE_INTEGER;
  for (let code = 0; code < 128; code++) if ((classOf(code) & (TOKEN | WORD_BITS)) === TOKEN) prefixEnds[code] = 1;
  for (const { prefix, entry } of prefixes) {
    const sign = /[^0-9A-Za-z]/.exec(prefix);
    if (sign !== null) prefixEnds[byteOf(sign[0].charCodeAt(0))] = 1;
    else prefixUnitsMin = Math.min(prefixUnitsMin, entry.detector.runMin ?? prefix.length);
  }
  return { prefixEnds, prefixUnitsMin };
}

function addPrefixes(entry: Entry<PrefixDetector>, prefixes: Map<number, PrefixEntry[]>, filter: Uint8Array): void {
  for (const prefix of entry.detector.prefixes) {
    const [first = 0, second = 0, third] = [...prefix.slice(0, 3)].map((unit) => byteOf(unit.charCodeAt(0)));
    const thirds = third === undefined ? Array.from({ length: BEYOND_ASCII + 1 }, (_, code) => code) : [third];
    for (const key of new Set(thirds.map((third) => openingKey(first, second, third)))) {
      filter[key] = 1;
      const item = { prefix, last: byteOf(prefix.charCodeAt(prefix.length - 1)), entry };
      const list = prefixes.get(key);
      if (list) list.push(item);
      else prefixes.set(key, [item]);
    }
  }
}
