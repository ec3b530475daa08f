import type { Lexicon } from './context-index.ts';
import { separatorBits } from './shapes.ts';
import type {
  AnchorDetector,
  Detector,
  DetectorFacts,
  PrefixDetector,
  SearchDetector,
  ShapeDetector,
  TokenDetector,
} from './types.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/**
 * Detectors as the scan reads them: every field always there, in the same order. Detectors are written with the fields they
 * need, and reading a field that objects of a hundred forms have in a hundred places takes longer than most answers.
 */
export interface Facts {
  readonly entity: string;
  readonly score: number;
  readonly contextScore: number;
  readonly lexicon: Lexicon | undefined;
}

export interface AnchorEntry {
  readonly facts: Facts;
  readonly detector: AnchorDetector;
  readonly at: AnchorDetector['at'];
  /** 1 by code for what may follow. */
  readonly after: Uint8Array;
}

export interface TokenEntry {
  readonly facts: Facts;
  readonly detector: TokenDetector;
  readonly token: TokenDetector['token'];
  readonly weak: TokenDetector['weak'];
  readonly lengthMin: number;
  readonly lengthMax: number;
}

/** One literal of a detector, with its last character as a byte: it tells most texts that only begin alike. */
export interface PrefixEntry {
  readonly facts: Facts;
  readonly detector: PrefixDetector;
  readonly from: PrefixDetector['from'];
  readonly prefix: string;
  readonly last: number;
}

export interface SearchEntry {
  readonly facts: Facts;
  readonly detector: SearchDetector;
}

export interface ShapeEntry {
  readonly facts: Facts;
  readonly detector: ShapeDetector;
  /** Those that may separate, as bits. */
  readonly separators: number;
  readonly mixed: boolean;
  readonly weak: 'always' | 'together' | 'never';
  readonly likely: ShapeDetector['likely'];
  readonly check: ShapeDetector['check'];
}

export function factsOf(detector: Detector, lexicon: Lexicon | undefined): Facts {
  const { entity, score, contextScore = CONTEXT_SCORE }: DetectorFacts = detector;
  return { entity, score, contextScore, lexicon };
}

const CONTEXT_SCORE = 0.8;

export function anchorEntry(detector: AnchorDetector, facts: Facts): AnchorEntry {
  return { facts, detector, at: detector.at, after: afterOf(detector) };
}

export function tokenEntry(detector: TokenDetector, facts: Facts): TokenEntry {
  const { token, weak, lengthMin, lengthMax } = detector;
  return { facts, detector, token, weak, lengthMin, lengthMax };
}

export function prefixEntry(detector: PrefixDetector, facts: Facts, prefix: string): PrefixEntry {
  return { facts, detector, from: detector.from, prefix, last: byteOf(prefix.charCodeAt(prefix.length - 1)) };
}

export function shapeEntry(detector: ShapeDetector, facts: Facts): ShapeEntry {
  const { separators = ' -', mixed = false, weak = 'never', likely, check } = detector;
  return { facts, detector, separators: separatorBits(separators), mixed, weak, likely, check };
}

export const byteOf = (code: number): number => Math.min(code, BEYOND_ASCII);

function afterOf({ after }: AnchorDetector): Uint8Array {
  if (after === undefined) return new Uint8Array(256).fill(1);
  const codes = new Uint8Array(256);
  for (let index = 0; index < after.length; index++) codes[byteOf(after.charCodeAt(index))] = 1;
  return codes;
}
