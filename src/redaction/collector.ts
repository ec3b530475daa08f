import { codeAt } from './characters.ts';
import {
  CONTEXT_UNITS,
  type ContextIndex,
  type ContextReader,
  type Lexicon,
  returnReader,
  takeReader,
} from './context-words.ts';
import { bracketLength, placeholderEndsAt } from './placeholder.ts';
import type { Detector, Finding, Report } from './types.ts';

/**
 * What touches a placeholder, or is one `-`, `_`, `.` or `:` from it, was looked at when the placeholder's own text still stood
 * there. Looking again would find in a redacted text what is none in the text as it came.
 */
function touchesPlaceholder(text: string, start: number, end: number): boolean {
  const right = codeAt(text, end);
  if (right === 91 ? bracketLength(text, end) > 0 : isJoint(right) && bracketLength(text, end + 1) > 0) return true;
  const left = codeAt(text, start - 1);
  return left === 93 ? placeholderEndsAt(text, start) : isJoint(left) && placeholderEndsAt(text, start - 1);
}

const isJoint = (code: number): boolean => code === 45 || code === 95 || code === 46 || code === 58;

/** Gathers what detectors report about one text, lifting scores by context. */
export class Collector {
  readonly findings: Finding[] = [];
  readonly text: string;
  readonly scoreMin: number;
  detector: Detector | undefined;
  lexicon: Lexicon | undefined;
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
  }

  readonly report: Report = (start, end, score, entity) => {
    const detector = this.detector as Detector;
    if (touchesPlaceholder(this.text, start, end)) return;
    const plain = score ?? detector.score;
    const lifted = detector.contextScore ?? 0.8;
    const near = this.lexicon !== undefined && plain < lifted && (plain >= this.scoreMin || lifted >= this.scoreMin);
    const final = near && this.#near(start) ? lifted : plain;
    if (final > 0 && final >= this.scoreMin)
      this.findings.push({ entity: entity ?? detector.entity, start, end, score: final });
  };

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

  #near(start: number): boolean {
    if (start - this.lettersUntil > CONTEXT_UNITS) return false;
    const context = (this.#context ??= takeReader(this.#index, this.text, this.bytes));
    if (!this.#isLookedUp(start, context)) {
      this.#wordsAt = start;
      context.before(start);
    }
    return context.has(this.lexicon as Lexicon);
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
