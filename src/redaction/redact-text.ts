import { emptyCover, readCover } from './cover.ts';
import { find } from './inspect.ts';
import { type Policy, policyOf, type RedactionOptions } from './policy.ts';
import type { Finding } from './types.ts';
import type { Vault } from './vault.ts';

export interface Redaction {
  readonly text: string;
  /** What was acted on, with places in the text as it came. */
  readonly findings: readonly Finding[];
  /** Turns placeholders back: see `restoreText`. */
  readonly vault: Vault;
}

/**
 * Takes personal data and secrets out of a text. Overlapping findings go as one; redacting what was redacted changes
 * nothing.
 *
 * @throws GatewayError `guardrail-blocked` when the policy blocks an entity that was found.
 * @example
 * const { text, vault } = redactText('Write to ann@example.com', { key: 'sixteen bytes or more' });
 * restoreText(text, vault); // 'Write to ann@example.com'
 */
export function redactText(text: string, options: RedactionOptions = {}): Redaction {
  return redactWith(policyOf(options), text);
}

export function redactWith(policy: Policy, text: string): Redaction {
  const findings = policy.wanted(text, find(text, policy.detectors, policy.scoreMin));
  if (findings.length === 0) return { text, findings, vault: policy.vault };
  let redacted = '';
  let from = 0;
  // One for all: a text of nothing but numbers has as many covers as findings.
  const cover = emptyCover();
  for (let at = 0; at < findings.length; ) {
    at = readCover(findings, at, cover);
    redacted += text.slice(from, cover.start) + policy.replacement(text, cover);
    from = cover.end;
  }
  return { text: redacted + text.slice(from), findings, vault: policy.vault };
}
