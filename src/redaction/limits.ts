/** Longest hit of a bounded detector, in UTF-16 units. What has no fixed end (a PEM block, a token) is a run instead. */
export const MATCH_UNITS_MAX = 240;
/** Most text a stream holds back while it cannot know yet, in UTF-16 units. */
export const HOLD_BACK_UNITS_MAX = 256;
/** How far before a hit a detector may look, in UTF-16 units. */
export const LOOK_BEHIND_UNITS = 128;
/** A hit longer than this is masked for good instead of being kept for restoring, in UTF-16 units. */
export const VALUE_UNITS_MAX = 8192;
/** Score from which `redactText` acts. */
export const SCORE_MIN = 0.5;
