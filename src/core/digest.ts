import { hmacSha256, sha256 } from '#platform';
import { storeKey } from './store.ts';

/** SHA-256 of UTF-8 text or bytes, as 64 hex characters. Never shortened: a short key is a guessable key. */
export function digest(data: string | Uint8Array): string {
  return sha256(data);
}

/** HMAC-SHA-256 as 64 hex characters: a digest nobody can test guesses against without the secret. */
export function keyedDigest(secret: string | Uint8Array, data: string | Uint8Array): string {
  return hmacSha256(secret, data);
}

/** Digest of several fields, each with its length in front: `['ab', 'c']` and `['a', 'bc']` differ. */
export function digestFields(fields: readonly string[], secret?: string | Uint8Array): string {
  const joined = storeKey(fields);
  // Halves of surrogate pairs would all become the same UTF-8. What begins with a digit begins with no quote.
  const text = joined.isWellFormed() ? joined : JSON.stringify(joined);
  return secret === undefined ? sha256(text) : hmacSha256(secret, text);
}
