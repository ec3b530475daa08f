import { GatewayError, invalidOptions } from '../core/errors.ts';
import { compile } from './compile.ts';
import { type Cover, surest } from './cover.ts';
import { SCORE_MIN, VALUE_UNITS_MAX } from './limits.ts';
import { defaultDetectors } from './packs/index.ts';
import { placeholder } from './placeholder.ts';
import { pseudonymOf } from './pseudonym.ts';
import { digestOf, type TagKey, tagFrom } from './tags.ts';
import type { Detector, Finding } from './types.ts';
import { createVault, type Vault } from './vault.ts';

/**
 * What happens to a finding. `replace`: a placeholder that a vault can turn back; `mask`: the entity's name; `hash`: a
 * placeholder that nothing turns back, equal for equal values; `pseudonym`: another value of the same form; `drop`:
 * nothing; `block`: the whole text is refused.
 */
export type Action = 'replace' | 'mask' | 'hash' | 'pseudonym' | 'drop' | 'block';

/** Strictest first: where findings overlap, the strictest action of them is taken. */
const STRICTNESS: readonly Action[] = ['block', 'drop', 'mask', 'hash', 'pseudonym', 'replace'];

export interface RedactionOptions {
  /** What to look for. @defaultValue global, US and secrets */
  readonly detectors?: readonly Detector[];
  /** Least score to act on, 0 to 1. @defaultValue 0.5 */
  readonly scoreMin?: number;
  /** Only these entities. `undefined` means all. */
  readonly entities?: readonly string[];
  /** Values that are let through, compared exactly and without regard to case. */
  readonly allow?: readonly string[];
  /** What happens to a finding that `actions` does not name. @defaultValue 'replace' with a `key`, else 'mask' */
  readonly action?: Action;
  /** By entity, or by group: `personal`, `secrets`. The entity wins. */
  readonly actions?: Readonly<Record<string, Action>>;
  /** Secret of the tags, at least 16 bytes. `replace`, `hash` and `pseudonym` need one. */
  readonly key?: TagKey;
  /** Whose text it is: equal values get equal placeholders within one partition only. @defaultValue '' */
  readonly partition?: string;
  /** Where `replace` keeps values. @defaultValue a new one */
  readonly vault?: Vault;
}

/** Options checked and compiled: what `redactText` and the stream share. */
export interface Policy {
  readonly detectors: readonly Detector[];
  readonly scoreMin: number;
  readonly vault: Vault;
  /** Findings the policy acts on. */
  readonly wanted: (text: string, findings: readonly Finding[]) => readonly Finding[];
  /** What stands in the place of a cover of `text`. Throws `guardrail-blocked` for an action of `block`. */
  readonly replacement: (text: string, cover: Cover) => string;
}

/** Compiles options. @throws GatewayError `invalid-options` naming the field. */
export function policyOf(options: RedactionOptions): Policy {
  const {
    detectors = defaultDetectors,
    scoreMin = SCORE_MIN,
    entities,
    allow = [],
    actions = {},
    key,
    partition = '',
  } = options;
  const fallback = options.action ?? (key === undefined ? 'mask' : 'replace');
  check(options, fallback);
  const { groups } = compile(detectors);
  const vault = options.vault ?? createVault();
  // Made at the first finding: most texts have none, and keying a hash costs more than reading them.
  let keyed: ReturnType<typeof digestOf> | undefined;
  const digestNow = (secret: TagKey): ReturnType<typeof digestOf> => (keyed ??= digestOf(secret, partition));
  const allowed = allow.length === 0 ? NONE : new Set(allow.map((value) => value.toLowerCase()));
  const uniform = Object.keys(actions).length === 0;
  const actionOf = (entity: string): Action => {
    if (uniform) return fallback;
    const named = Object.hasOwn(actions, entity) ? actions[entity] : undefined;
    const group = groups.get(entity) ?? 'personal';
    return named ?? (Object.hasOwn(actions, group) ? actions[group] : undefined) ?? fallback;
  };

  const stand = (action: Action, entity: string, value: string): string => {
    if (action === 'drop') return '';
    if (action === 'mask' || key === undefined || value.length > VALUE_UNITS_MAX) return placeholder(entity);
    const digest = digestNow(key);
    if (action === 'pseudonym')
      return pseudonymOf(entity, value, (block) => digest(`pseudonym ${block}`, entity, value));
    const tag = tagFrom(digest(action, entity, value));
    if (action === 'hash') return placeholder(entity, tag);
    // A full vault masks: what cannot be restored must not be promised.
    return vault.put(tag, value, entity) ? placeholder(entity, tag) : placeholder(entity);
  };

  return {
    detectors,
    scoreMin,
    vault,
    wanted(text, findings) {
      if (entities === undefined && allowed.size === 0) return findings;
      return findings.filter(
        ({ entity, start, end }) =>
          (entities === undefined || entities.includes(entity)) && !allowed.has(text.slice(start, end).toLowerCase()),
      );
    },
    replacement(text, cover) {
      const { findings } = cover;
      const chosen = uniform ? fallback : strictest(findings, actionOf);
      const { entity } = surest(uniform ? findings : findings.filter((finding) => actionOf(finding.entity) === chosen));
      if (chosen === 'block') throw blocked(entity);
      return stand(chosen, entity, text.slice(cover.start, cover.end));
    },
  };
}

const NONE: ReadonlySet<string> = new Set();

function strictest(findings: readonly Finding[], actionOf: (entity: string) => Action): Action {
  const [first, ...others] = findings;
  if (others.length === 0 && first !== undefined) return actionOf(first.entity);
  return STRICTNESS.find((action) => findings.some(({ entity }) => actionOf(entity) === action)) ?? 'mask';
}

function blocked(entity: string): GatewayError {
  return new GatewayError('guardrail-blocked', `The text holds a ${entity}, which the redaction policy blocks.`, {
    stage: 'redact',
  });
}

function check({ scoreMin = SCORE_MIN, actions = {}, key }: RedactionOptions, fallback: Action): void {
  if (!(scoreMin >= 0 && scoreMin <= 1)) throw invalidOptions('scoreMin', 'scoreMin must be a number from 0 to 1.');
  for (const action of [fallback, ...Object.values(actions)]) {
    if (!STRICTNESS.includes(action)) throw invalidOptions('actions', `An action is one of ${STRICTNESS.join(', ')}.`);
    if (key === undefined && (action === 'replace' || action === 'hash' || action === 'pseudonym')) {
      throw invalidOptions('key', `The action ${action} needs a key.`);
    }
  }
  if (key !== undefined && key.length < 16) throw invalidOptions('key', 'The key must have at least 16 bytes.');
}
