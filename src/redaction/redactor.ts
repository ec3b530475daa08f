import { policyOf, type RedactionOptions } from './policy.ts';
import { type Redaction, redactWith } from './redact-text.ts';
import { type StreamRedactor, streamWith } from './stream-redactor.ts';
import type { Vault } from './vault.ts';

/** One policy for many texts of one conversation: checked once, one vault. */
export interface Redactor {
  text(text: string): Redaction;
  stream(): StreamRedactor;
  readonly vault: Vault;
}

/**
 * Compiles options once. Use it where many texts share a key, a partition and a vault: the slots of one request.
 *
 * @throws GatewayError `invalid-options` naming the field.
 */
export function createRedactor(options: RedactionOptions = {}): Redactor {
  const policy = policyOf(options);
  return { text: (text) => redactWith(policy, text), stream: () => streamWith(policy), vault: policy.vault };
}
