// For users: find, take out, put back.
export { inspect, type InspectOptions } from './inspect.ts';
export { type Redaction, redactText } from './redact-text.ts';
export type { Action, RedactionOptions } from './policy.ts';
export { createRestorer, type Restorer, type RestoreOptions, restoreText } from './restorer.ts';
export { createStreamRedactor, type StreamRedactor } from './stream-redactor.ts';
export { createRedactor, type Redactor } from './redactor.ts';
export { createVault, type Vault, type VaultOptions } from './vault.ts';
export type { Finding } from './types.ts';

// Packs: lay them together, `[...global, ...us, ...secrets]`.
export { defaultDetectors } from './packs/index.ts';
export { everyDetector, packs } from './packs/every.ts';
export { general } from './packs/general.ts';
export { global } from './packs/global.ts';
export { secrets } from './packs/secrets.ts';
export { us } from './packs/us.ts';
export { uk } from './packs/uk.ts';
export { de } from './packs/de.ts';
export { es, fr, hr, it, pt, ro } from './packs/europe-south.ts';
export { be, ch, dk, fi, ie, nl, no, pl, se } from './packs/europe-north.ts';
export { india, ph, sg, th, tr } from './packs/asia.ts';
export { kr } from './packs/korea.ts';
export { au, ng, nz, za } from './packs/pacific-and-africa.ts';
export { br, ca, mx } from './packs/americas.ts';

// For authors of detectors.
export type {
  AnchorDetector,
  Detector,
  DetectorFacts,
  Pack,
  PrefixDetector,
  Report,
  SearchDetector,
  ShapeDetector,
  TokenDetector,
} from './types.ts';
export { wordList, type WordListOptions } from './detectors/word-list.ts';
export { allSame, isDate, luhn, mod11And10, mod97, verhoeff, weighted } from './check-digits.ts';
