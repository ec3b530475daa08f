import { classOf, codeAt, TOKEN } from './characters.ts';
import { compile } from './compile.ts';
import { coverOf, type Cover } from './cover.ts';
import { holdFrom } from './hold-back.ts';
import { find } from './inspect.ts';
import { HOLD_BACK_UNITS_MAX, LOOK_BEHIND_UNITS, VALUE_UNITS_MAX } from './limits.ts';
import { type Policy, policyOf, type RedactionOptions } from './policy.ts';
import type { Finding } from './types.ts';
import type { Vault } from './vault.ts';

const FINDINGS_MAX = 10_000;

export interface StreamRedactor {
  /** Gives the text that is settled. Throws `guardrail-blocked` as `redactText` does. */
  push(text: string): string;
  /** Gives the rest. */
  end(): string;
  /** What was acted on so far, with places in the whole text as it came; the first 10,000. */
  readonly findings: readonly Finding[];
  readonly vault: Vault;
}

/**
 * Redacts text that comes in pieces: the output, joined, is what `redactText` makes of the whole, wherever it was cut.
 * Holds back what a hit that is still open may need, never more than 256 units of undecided text. A hit that is certain
 * but has not ended (a private key) waits for its end, up to 8,192 units; then it is masked for good, with everything up
 * to the next space.
 */
export function createStreamRedactor(options: RedactionOptions = {}): StreamRedactor {
  return streamWith(policyOf(options));
}

export function streamWith(policy: Policy): StreamRedactor {
  const searching = compile(policy.detectors).searches.length > 0;
  const findings: Finding[] = [];
  // The last units given out, as they came: detectors look behind.
  let behind = '';
  let pending = '';
  let offset = 0;
  let swallowing = false;

  function settle(final: boolean): string {
    const window = behind + pending;
    const base = behind.length;
    let cut = window.length;
    if (!final) cut = Math.max(base, searching ? window.length - HOLD_BACK_UNITS_MAX : holdFrom(window));
    if (cut === base) return '';
    const covers = coverOf(hitsFrom(policy, window, base));
    const across = covers.find(
      (cover) => cover.start < cut && (cover.end > cut || (!final && cover.end === window.length)),
    );
    if (across !== undefined && !final) {
      cut = across.start;
      if (across.end === window.length && window.length - across.start > VALUE_UNITS_MAX) {
        cut = window.length;
        swallowing = true;
      }
    }
    let settled = '';
    let from = base;
    for (const cover of covers) {
      if (cover.start >= cut) break;
      settled += window.slice(from, cover.start) + policy.replacement(window, cover);
      note(cover, offset - base);
      from = cover.end;
    }
    settled += window.slice(from, cut);
    behind = window.slice(Math.max(0, cut - LOOK_BEHIND_UNITS), cut);
    pending = window.slice(cut);
    offset += cut - base;
    return settled;
  }

  function note(cover: Cover, shift: number): void {
    for (const finding of cover.findings) {
      if (findings.length < FINDINGS_MAX)
        findings.push({ ...finding, start: finding.start + shift, end: finding.end + shift });
    }
  }

  /** The rest of a hit that was masked before it ended. */
  function swallow(text: string): string {
    let end = 0;
    while (end < text.length && isTokenOrLine(codeAt(text, end))) end++;
    swallowing = end === text.length;
    behind = (behind + text.slice(0, end)).slice(-LOOK_BEHIND_UNITS);
    offset += end;
    return text.slice(end);
  }

  return {
    push(text) {
      pending += swallowing ? swallow(text) : text;
      return pending === '' ? '' : settle(false);
    },
    end: () => (pending === '' ? '' : settle(true)),
    findings,
    vault: policy.vault,
  };
}

const isTokenOrLine = (code: number): boolean =>
  (classOf(code) & TOKEN) !== 0 || code === 10 || code === 13 || code === 58;

/** Findings of the window that do not lie in what was given out already; one that reaches into it is cut, never shown. */
function hitsFrom(policy: Policy, window: string, base: number): Finding[] {
  const found = policy.wanted(window, find(window, policy.detectors, policy.scoreMin));
  return found.filter(({ start }) => start >= base);
}
