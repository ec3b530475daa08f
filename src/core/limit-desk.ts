import type { Candidate, Scope } from './call.ts';
import type { CounterStore, LimitState } from './counter-store.ts';
import { invalidRequest } from './errors.ts';
import type { Limiter } from './limiter.ts';
import { amountOf, type CompiledRule, type LimitUnit } from './limit-rule.ts';
import { type AppliedLimit, appliedLimits, matches } from './limit-shapes.ts';

/** How a limit stands for somebody. Cost is in nano-dollars. */
export interface LimitStatus extends Omit<LimitState, 'key'> {
  readonly unit: LimitUnit;
}

/** A limit as it is configured, and whether it holds for a scope. */
export interface LimitDescription {
  readonly name: string;
  readonly unit: LimitUnit;
  readonly kind: LimitState['kind'];
  /** Cost is in nano-dollars. */
  readonly maximum: number;
  readonly per: readonly string[];
  /** The counters it draws on: one of these for each. */
  readonly applies: boolean;
  /** Why it does not, or what is missing in the scope. */
  readonly note?: string;
  /** Wall time at which its window ends. */
  readonly endsAt?: number;
}

export interface LimitChange {
  /** The name of the limit. */
  readonly limit: string;
  readonly scope: Scope;
  /** Why; told by a `limit` event of kind `adjusted`. */
  readonly reason: string;
  /** `provider/model`, for a limit that depends on where an attempt goes. */
  readonly target?: string;
  /** The same id twice changes nothing. @defaultValue a new one */
  readonly id?: string;
}

/** What an operator may ask of and do to limits while calls run. */
export interface LimitDesk {
  /** How the limits of a scope stand; with a target (`provider/model`) also those that depend on it. */
  remaining(scope: Scope, target?: string): Promise<readonly LimitStatus[]>;
  /** Every configured limit, and whether it holds for this scope. */
  explain(scope: Scope): readonly LimitDescription[];
  /** Gives more room: in the window that runs now, or in a total for good. A rolling limit gets at most its burst back. */
  topUp(change: LimitChange & { readonly by: number | string }): Promise<LimitStatus>;
  /** Takes what was used as not used. What running attempts hold stays held. */
  reset(change: LimitChange): Promise<LimitStatus>;
}

export interface LimitDeskOptions {
  readonly name: string;
  readonly limiter: Limiter;
  readonly store: CounterStore;
  readonly rules: () => readonly CompiledRule[];
  readonly now: () => number;
  readonly freed: (keys: Iterable<string>) => void;
}

export function limitDesk(options: LimitDeskOptions): LimitDesk {
  const { name, limiter, store, rules, now, freed } = options;
  const targetOf = (target: string | undefined): Candidate | undefined => {
    if (target === undefined) return undefined;
    const found = limiter.host?.resolve(target, 'chat') ?? limiter.host?.resolve(target, 'embed');
    if (found === undefined) throw invalidRequest('target', `${target} is no model of this gateway.`);
    // What a host resolves is a candidate of its registry, shown as a target.
    return found as Candidate;
  };
  const adjust = async (change: LimitChange, by: number | string | undefined): Promise<LimitStatus> => {
    const { reason, scope } = change;
    if (typeof reason !== 'string' || reason === '') throw invalidRequest('reason', 'say why, for the record.');
    const { rule, shape } = findLimit(
      appliedLimits(name, rules(), scope, targetOf(change.target), now()),
      change.limit,
    );
    if (rule.kind === 'concurrency') throw invalidRequest('limit', 'places at once come back by themselves.');
    const amount = by === undefined ? undefined : amountOf('by', rule.unit, by, 0);
    const id = `${name}:adjust:${change.id ?? crypto.randomUUID()}`;
    const state = await store.adjust(id, shape, amount === undefined ? { to: 0 } : { by: 0 - amount });
    limiter.emit('adjusted', state, scope, { name: rule.name, reason });
    freed([shape.key]);
    return statusOf(rule, state);
  };
  return {
    async remaining(scope, target) {
      const applied = appliedLimits(name, rules(), scope, targetOf(target), now());
      if (applied.length === 0) return [];
      const states = await store.remaining(applied.map(({ shape }) => shape));
      return states.map((state, index) => statusOf((applied[index] as AppliedLimit).rule, state));
    },
    explain: (scope) => rules().map((rule) => describe(rule, scope, now())),
    topUp: ({ by, ...change }) => adjust(change, by),
    reset: (change) => adjust(change, undefined),
  };
}

function findLimit(applied: readonly AppliedLimit[], name: string): AppliedLimit {
  const found = applied.find(({ rule }) => rule.name === name);
  if (found !== undefined) return found;
  const names = applied.map(({ rule }) => rule.name).join(', ') || 'none';
  throw invalidRequest('limit', `"${name}" does not hold for this scope; those that do: ${names}.`);
}

function statusOf({ unit }: CompiledRule, { key: _key, ...state }: LimitState): LimitStatus {
  return { ...state, unit };
}

function describe(rule: CompiledRule, scope: Scope, now: number): LimitDescription {
  const { name, unit, kind, maximum, dimensions, ofTarget } = rule;
  const ofScope = rule.where.filter(([dimension]) => !['provider', 'model', 'target'].includes(dimension));
  const applies = matches({ ...rule, where: ofScope }, scope, undefined);
  const missing = dimensions.filter((dimension) => (TARGETS.has(dimension) ? false : isMissing(dimension, scope)));
  const note = !applies
    ? `only where ${ofScope.map(([dimension, values]) => `${dimension} is ${values.join(' or ')}`).join(' and ')}`
    : missing.length > 0
      ? `the scope has no ${missing.join(', no ')}: counted with all others without`
      : ofTarget
        ? 'depends on where the attempt goes'
        : undefined;
  return {
    name,
    unit,
    kind,
    maximum,
    per: dimensions,
    applies,
    ...(note !== undefined && { note }),
    ...(rule.windowAt !== undefined && { endsAt: rule.windowAt(now).endsAt }),
  };
}

const TARGETS = new Set<string>(['provider', 'model', 'target']);

function isMissing(dimension: string, scope: Scope): boolean {
  if (dimension.startsWith('tag:')) return scope.tags?.[dimension.slice(4)] === undefined;
  return Reflect.get(scope, dimension) === undefined;
}
