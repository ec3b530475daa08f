import type { Candidate, Scope } from './call.ts';
import { KnownLimit } from './counter-limits.ts';
import type { LimitShape } from './counter-store.ts';
import type { CompiledRule, LimitDimension } from './limit-rule.ts';
import { storeKey } from './store.ts';

/** A rule as it stands for one scope and one target. */
export interface AppliedLimit {
  readonly rule: CompiledRule;
  readonly shape: LimitShape;
  /** Draws on it. */
  readonly known: KnownLimit;
}

/** The limits that apply, each with the counter it draws on. Without a target those that need one are left out. */
export function appliedLimits(
  namespace: string,
  rules: readonly CompiledRule[],
  scope: Scope,
  target: Candidate | undefined,
  now: number,
): readonly AppliedLimit[] {
  const applied: AppliedLimit[] = [];
  for (const rule of rules) {
    if (rule.ofTarget && target === undefined) continue;
    if (rule.where.length === 0 || matches(rule, scope, target)) {
      applied.push(appliedLimit(namespace, rule, scope, target, now));
    }
  }
  return applied;
}

export function appliedLimit(
  namespace: string,
  rule: CompiledRule,
  scope: Scope,
  target: Candidate | undefined,
  now: number,
): AppliedLimit {
  const shape = shapeOf(namespace, rule, scope, target, now);
  // A request is a request, whatever becomes of it.
  return { rule, shape, known: new KnownLimit(shape, rule.unit === 'requests' ? 'on-reserve' : 'on-settle') };
}

export function matches(rule: CompiledRule, scope: Scope, target: Candidate | undefined): boolean {
  for (const [dimension, values] of rule.where) {
    const value = dimension === 'provider' ? (target?.provider ?? '') : valueOf(dimension, scope, target);
    if (!values.includes(value)) return false;
  }
  return true;
}

function shapeOf(
  namespace: string,
  rule: CompiledRule,
  scope: Scope,
  target: Candidate | undefined,
  now: number,
): LimitShape {
  const fields = [namespace, rule.name];
  for (const dimension of rule.dimensions) fields.push(dimension, valueOf(dimension, scope, target));
  const base = { key: storeKey(fields), name: rule.name, unit: rule.unit, maximum: rule.maximum };
  switch (rule.kind) {
    case 'rate':
      return {
        ...base,
        kind: 'rate',
        periodMs: rule.periodMs as number,
        ...(rule.burst !== undefined && { burst: rule.burst }),
      };
    case 'window': {
      const { window, endsAt } = (rule.windowAt as NonNullable<typeof rule.windowAt>)(now);
      return { ...base, kind: 'window', window, endsAt };
    }
    default:
      return { ...base, kind: rule.kind };
  }
}

/** Absent is its own partition: no value of a scope is empty. */
export function valueOf(dimension: LimitDimension, scope: Scope, target: Candidate | undefined): string {
  switch (dimension) {
    case 'tenant':
    case 'user':
    case 'app':
    case 'agent':
    case 'session':
      return scope[dimension] ?? '';
    case 'provider':
      return target === undefined ? '' : storeKey([target.provider, target.credential ?? '']);
    case 'model':
      return target?.model ?? '';
    case 'target':
      return target?.id ?? '';
    default:
      return scope.tags?.[dimension.slice(4)] ?? '';
  }
}
