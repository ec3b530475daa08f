import { byteAt } from './characters.ts';
import type { ContextIndex, Lexicon } from './context-index.ts';
import { CONTEXT_UNITS, type ContextReader, returnReader, takeReader } from './context-words.ts';
import type { Facts } from './entries.ts';
import { SCORE_MIN } from './limits.ts';
import { bracketLength, placeholderEndsAt } from './placeholder.ts';
import type { Finding, Report } from './types.ts';

/**
 * What touches a placeholder, or is one `-`, `_`, `.` or `:` from it, was looked at when the placeholder's own text still stood
 * there. Looking again would find in a redacted text what is none in the text as it came.
 */
function touchesPlaceholder(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const right = bytes[end] as number;
  if (right === 91 ? bracketLength(text, end) > 0 : isJoint(right) && bracketAt(text, bytes, end + 1)) return true;
  const left = byteAt(bytes, start - 1);
  if (left === 93) return placeholderEndsAt(text, start);
  return isJoint(left) && byteAt(bytes, start - 2) === 93 && placeholderEndsAt(text, start - 1);
}

const bracketAt = (text: string, bytes: Uint8Array, index: number): boolean =>
  bytes[index] === 91 && bracketLength(text, index) > 0;
const isJoint = (code: number): boolean => code === 45 || code === 95 || code === 46 || code === 58;

/** Gathers what detectors report about one text, lifting scores by context. */
export class Collector {
  readonly findings: Finding[] = [];
  readonly text: string;
  readonly scoreMin: number;
  /** Only hits from 0.5 on are asked for: what scores less without a context word needs one. */
  readonly strong: boolean;
  /** Of the detector that is asked. */
  facts: Facts = NOBODY;
  /** Where the last letters ended that the scan has seen: without any near, nothing needs to be looked up. */
  lettersUntil = -CONTEXT_UNITS;
  /** The text as the scan reads it. */
  bytes: Uint8Array = NOTHING;
  #wordsAt = -1;
  // Made at the first look-up: most texts need none.
  #context: ContextReader | undefined;
  readonly #index: ContextIndex;

  constructor(text: string, scoreMin: number, context: ContextIndex) {
    this.#index = context;
    this.text = text;
    this.scoreMin = scoreMin;
    this.strong = scoreMin >= SCORE_MIN;
  }

  readonly report: Report = (start, end, score, entity) => {
    const { facts, scoreMin } = this;
    if (touchesPlaceholder(this.text, this.bytes, start, end)) return;
    const lifted = facts.contextScore;
    let final = score ?? facts.score;
    if (facts.lexicon !== undefined && final < lifted && lifted >= scoreMin && this.isNear(start, facts.lexicon))
      final = lifted;
    if (final > 0 && final >= scoreMin)
      this.findings.push({ entity: entity ?? facts.entity, start, end, score: final });
  };

  /** Whether a word of one of the lexicons stands before `start`. */
  hasWord(start: number, lexicons: Int32Array): boolean {
    return start - this.lettersUntil <= CONTEXT_UNITS && this.#lookUp(start).hasAny(lexicons);
  }

  /** Whether one of the lexicon's words does. */
  isNear(start: number, lexicon: Lexicon): boolean {
    return start - this.lettersUntil <= CONTEXT_UNITS && this.#lookUp(start).has(lexicon);
  }

  /** Known without a look-up: none of the lexicon's words stands before `start`. */
  isBare(start: number, lexicon: Lexicon | undefined): boolean {
    if (lexicon === undefined || start - this.lettersUntil > CONTEXT_UNITS) return true;
    const context = this.#context;
    return context !== undefined && this.#isLookedUp(start, context) && !context.has(lexicon);
  }

  /** Lets go of what is shared between texts. */
  end(): void {
    if (this.#context !== undefined) returnReader(this.#context);
    this.#context = undefined;
  }

  #lookUp(start: number): ContextReader {
    const context = (this.#context ??= takeReader(this.#index, this.text, this.bytes));
    if (!this.#isLookedUp(start, context)) {
      this.#wordsAt = start;
      context.before(start);
    }
    return context;
  }

  /** Within a list of numbers the words before stay the same. */
  #isLookedUp(start: number, context: ContextReader): boolean {
    return (
      this.#wordsAt === start ||
      (this.lettersUntil <= this.#wordsAt && start >= this.#wordsAt && context.earliest > start - CONTEXT_UNITS)
    );
  }
}

const NOTHING = new Uint8Array(0);
const NOBODY: Facts = { entity: '', score: 0, contextScore: 0, lexicon: undefined };
