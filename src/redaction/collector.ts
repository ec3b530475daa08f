import { hasContext, type Lexicon, wordsBefore } from './context-words.ts';
import type { Detector, Finding, Report } from './types.ts';

/** Gathers what detectors report about one text, lifting scores by context. */
export class Collector {
  readonly findings: Finding[] = [];
  readonly text: string;
  readonly scoreMin: number;
  detector: Detector | undefined;
  lexicon: Lexicon | undefined;
  #wordsAt = -1;
  #words: readonly string[] = [];

  constructor(text: string, scoreMin: number) {
    this.text = text;
    this.scoreMin = scoreMin;
  }

  readonly report: Report = (start, end, score, entity) => {
    const detector = this.detector as Detector;
    const plain = score ?? detector.score;
    const lifted = detector.contextScore ?? 0.8;
    const near = this.lexicon !== undefined && plain < lifted && (plain >= this.scoreMin || lifted >= this.scoreMin);
    const final = near && this.#near(start) ? lifted : plain;
    if (final > 0 && final >= this.scoreMin)
      this.findings.push({ entity: entity ?? detector.entity, start, end, score: final });
  };

  #near(start: number): boolean {
    if (this.#wordsAt !== start) {
      this.#wordsAt = start;
      this.#words = wordsBefore(this.text, start);
    }
    return hasContext(this.#words, this.lexicon as Lexicon);
  }
}
