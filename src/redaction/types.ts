/** What was found and where. Never the value itself: a finding may be logged. */
export interface Finding {
  /** Kind of identifier: `EMAIL_ADDRESS`, `US_SSN`, and for secrets the rule, like `github-pat`. */
  readonly entity: string;
  /** Where it begins, in UTF-16 units. */
  readonly start: number;
  /** Where it ends (exclusive), in UTF-16 units. */
  readonly end: number;
  /** How sure, from 0 to 1. Bare digits that could be anything score below 0.3; a check digit or a context word raises it. */
  readonly score: number;
  /** Where the text itself came from, when the caller named it (`inspect(text, { path })`). */
  readonly path?: string;
}

/** How a detector says what it found. `score` and `entity` default to the detector's own. */
export type Report = (start: number, end: number, score?: number, entity?: string) => void;

/** Facts every detector carries. */
export interface DetectorFacts {
  readonly entity: string;
  /** `secret` detectors can be addressed together in a policy by the name `secrets`. */
  readonly group?: 'personal' | 'secret';
  /** Score of a hit without context. */
  readonly score: number;
  /** Lower-case words that, standing in the few words before a hit, lift it to `contextScore`. */
  readonly context?: readonly string[];
  /** @defaultValue 0.8 */
  readonly contextScore?: number;
}

/**
 * An identifier with a fixed layout: `9` is a digit, `A` a letter, `X` either, `_` one separator.
 * All layouts of all detectors share one lookup, so a hundred of them cost about as much as one.
 */
export interface ShapeDetector extends DetectorFacts {
  readonly shapes: readonly string[];
  /** Separators that may stand for `_`; one hit uses the same one throughout unless `mixed`. @defaultValue ' -' */
  readonly separators?: string;
  readonly mixed?: boolean;
  /**
   * Says that a hit scores below 0.5 without a context word: `always`, or when written `together`, without separators.
   * Then it is checked only where such a word may stand, if weaker hits are not asked for.
   */
  readonly weak?: 'always' | 'together';
  /** A cheap look at the text as bytes, before anything is cut out of it: `false` rejects, a number is the score and spares `check`. */
  readonly likely?: (bytes: Uint8Array, start: number, end: number) => boolean | number;
  /** Check digits and ranges: `false` rejects, a number is the score. `compact` is upper case, without separators. */
  readonly check?: (compact: string, raw: string) => boolean | number;
}

/** Looks around single characters, such as `@`. Must judge from the 128 units before its hit to the word after it. */
export interface AnchorDetector extends DetectorFacts {
  readonly anchors: string;
  /** What must stand right behind the character: with anything else nothing is asked. ASCII. @defaultValue anything */
  readonly after?: string;
  /** `bytes` is as in {@link TokenDetector.token}. */
  readonly at: (text: string, index: number, report: Report, bytes: Uint8Array) => void;
}

/** Called with each run of ASCII letters and digits that holds a digit and whose length is in range. */
export interface TokenDetector extends DetectorFacts {
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** What the run begins with: with anything else nothing is asked. @defaultValue either */
  readonly opens?: 'digit' | 'letter';
  /** The digits it begins with, when it opens with one: with any other nothing is asked. @defaultValue all */
  readonly digits?: string;
  /**
   * Says that whatever would be found from this run scores below 0.5 without a context word: then it is looked at only
   * where such a word may stand, if weaker hits are not asked for.
   */
  readonly weak?: (bytes: Uint8Array, start: number, end: number) => boolean;
  /** `bytes` is the text as one byte a unit (128 for all beyond ASCII), with zeros behind the last: faster to read. */
  readonly token: (text: string, start: number, end: number, report: Report, bytes: Uint8Array) => void;
}

/** Called where a word starts with one of the literals. */
export interface PrefixDetector extends DetectorFacts {
  readonly prefixes: readonly string[];
  /**
   * Least units of a hit that is one run of letters, digits and `-_+/=.~`: where the run is a shorter word, nothing is
   * asked. @defaultValue the prefix's length
   */
  readonly runMin?: number;
  /** `bytes` is as in {@link TokenDetector.token}. */
  readonly from: (text: string, start: number, report: Report, prefix: string, bytes: Uint8Array) => void;
}

/**
 * Reads the whole text its own way: a recogniser of names, a list of the caller's own words.
 * In a stream it sees a window, and a hit longer than 240 units is not promised to be found.
 */
export interface SearchDetector extends DetectorFacts {
  readonly find: (text: string, report: Report) => void;
}

export type Detector = ShapeDetector | AnchorDetector | TokenDetector | PrefixDetector | SearchDetector;

/** Detectors that belong together: a country, the secrets. Merge packs by listing them. */
export type Pack = readonly Detector[];
