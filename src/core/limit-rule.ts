import { didYouMean } from '../operations/problem.ts';
import { type Calendar, calendarWindows, type CalendarWindow } from './calendar-window.ts';
import { invalidOptions } from './errors.ts';

/** Whom a limit counts apart: parts of the scope, any tag, or where an attempt goes. */
export type LimitDimension =
  | 'tenant'
  | 'user'
  | 'app'
  | 'agent'
  | 'session'
  | `tag:${string}`
  | 'provider'
  | 'model'
  | 'target';

/** What is measured. `requests` are attempts: a retry is one more. */
export type LimitUnit = 'requests' | 'inputTokens' | 'outputTokens' | 'tokens' | 'costUsd' | 'concurrent';

/**
 * One limit. It names one amount, and how it comes back: rolling (`periodMs`), with the calendar (`every`), or never
 * (neither of them). All limits that apply to an attempt must admit it, so the tightest wins.
 */
export interface LimitRule extends Partial<Pick<Calendar, 'every' | 'timeZone' | 'startsOn'>> {
  /** How errors, events and `remaining` call it, and what its counters are stored under. @defaultValue what it says, like `cost per tenant per month` */
  readonly name?: string;
  /**
   * Whom it counts apart. Left out: everybody together. A part of the scope other than the tenant is counted for each
   * tenant apart; a call without that part counts in a partition of its own.
   */
  readonly per?: LimitDimension | readonly LimitDimension[];
  /** Applies only where these match, e.g. `{ tenant: 'acme' }`. Left out: everywhere. */
  readonly where?: Readonly<Partial<Record<LimitDimension, string | readonly string[]>>>;
  /** Attempts. */
  readonly requests?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Input and output tokens together. */
  readonly tokens?: number;
  /** US dollars, as a number or as decimal text with at most nine digits after the point. */
  readonly costUsd?: number | string;
  /** Attempts at once. */
  readonly concurrent?: number;
  /** Rolling: the amount comes back evenly over so many milliseconds. */
  readonly periodMs?: number;
  /** The most at once of a rolling limit, in the unit of its amount. @defaultValue the amount */
  readonly burst?: number | string;
  /** Parts of the amount (0 to 1) at which a `limit` event is sent, once for each time it is reached. @defaultValue [] */
  readonly warnAt?: readonly number[];
  /** From this part of the amount on, chat calls go to another model: an alias or `provider/model`. */
  readonly downgrade?: { readonly at: number; readonly model: string };
}

/** A rule, checked. */
export interface CompiledRule {
  readonly name: string;
  readonly unit: LimitUnit;
  readonly kind: 'rate' | 'window' | 'total' | 'concurrency';
  /** In whole units; cost in nano-dollars. */
  readonly maximum: number;
  readonly burst?: number;
  readonly periodMs?: number;
  readonly windowAt?: (now: number) => CalendarWindow;
  readonly dimensions: readonly LimitDimension[];
  readonly where: readonly (readonly [dimension: LimitDimension, values: readonly string[]])[];
  /** Whether it depends on where an attempt goes. */
  readonly ofTarget: boolean;
  readonly warnAt: readonly number[];
  readonly downgrade?: { readonly at: number; readonly model: string };
}

/** Most rules of one middleware. */
export const LIMIT_RULES_MAX = 32;
export const LIMIT_UNITS: readonly LimitUnit[] = [
  'requests',
  'inputTokens',
  'outputTokens',
  'tokens',
  'costUsd',
  'concurrent',
];
const FIELDS = new Set<string>([
  ...LIMIT_UNITS,
  ...['name', 'per', 'where', 'periodMs', 'burst', 'every', 'timeZone', 'startsOn', 'warnAt', 'downgrade'],
]);
const SCOPE = new Set<string>(['tenant', 'user', 'app', 'agent', 'session']);
const TARGET = new Set<string>(['provider', 'model', 'target']);

/** Checks the rules of a middleware: nothing unknown, nothing that nobody measures, no two of one name. */
export function compileRules(
  field: string,
  rules: readonly LimitRule[],
  units: readonly LimitUnit[],
): readonly CompiledRule[] {
  if (!Array.isArray(rules)) throw invalidOptions(field, 'expected a list of limits.');
  if (rules.length > LIMIT_RULES_MAX) throw invalidOptions(field, `expected at most ${LIMIT_RULES_MAX} limits.`);
  const compiled = rules.map((rule, index) => compileRule(`${field}[${index}]`, rule, units));
  for (const [index, { name }] of compiled.entries()) {
    if (compiled.findIndex((other) => other.name === name) !== index) {
      throw invalidOptions(`${field}[${index}].name`, `two limits are called "${name}"; give one another name.`);
    }
  }
  return compiled;
}

function compileRule(path: string, rule: LimitRule, units: readonly LimitUnit[]): CompiledRule {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) throw invalidOptions(path, 'expected a limit.');
  for (const name of Object.keys(rule)) {
    if (!FIELDS.has(name))
      throw invalidOptions(`${path}.${name}`, `is nothing that is measured.${didYouMean(name, FIELDS)}`);
  }
  const unit = unitOf(path, rule, units);
  const per = dimensionsOf(path, rule);
  const kind = kindOf(path, rule, unit);
  const lowest = kind === 'rate' ? 1 : 0;
  const burst = rule.burst === undefined ? undefined : amountOf(`${path}.burst`, unit, rule.burst, 1);
  const where = whereOf(path, rule.where ?? {});
  const name = rule.name ?? nameOf(rule, unit, per);
  if (typeof name !== 'string' || name === '') throw invalidOptions(`${path}.name`, 'expected a text.');
  return {
    name,
    unit,
    kind,
    maximum: amountOf(`${path}.${unit}`, unit, rule[unit], lowest),
    dimensions: per.some((dimension) => !TARGET.has(dimension)) ? [...new Set(['tenant' as const, ...per])] : per,
    where,
    ofTarget: [...per, ...where.map(([dimension]) => dimension)].some((dimension) => TARGET.has(dimension)),
    warnAt: partsOf(`${path}.warnAt`, rule.warnAt ?? []),
    ...(burst !== undefined && { burst }),
    ...(kind === 'rate' && { periodMs: rule.periodMs as number }),
    ...(kind === 'window' && { windowAt: calendarWindows(rule as Calendar, path) }),
    ...(rule.downgrade !== undefined && { downgrade: downgradeOf(`${path}.downgrade`, rule.downgrade) }),
  };
}

function unitOf(path: string, rule: LimitRule, units: readonly LimitUnit[]): LimitUnit {
  const named = LIMIT_UNITS.filter((unit) => rule[unit] !== undefined);
  const [unit] = named;
  if (unit === undefined || named.length > 1) {
    throw invalidOptions(path, `name one amount: ${units.join(', ')}. Several amounts are several limits.`);
  }
  if (!units.includes(unit)) throw invalidOptions(`${path}.${unit}`, `is not measured here; use ${units.join(', ')}.`);
  return unit;
}

function kindOf(path: string, rule: LimitRule, unit: LimitUnit): CompiledRule['kind'] {
  const { periodMs, every } = rule;
  for (const name of ['timeZone', 'startsOn'] as const) {
    if (rule[name] !== undefined && every === undefined)
      throw invalidOptions(`${path}.${name}`, 'means nothing without `every`.');
  }
  if (rule.burst !== undefined && periodMs === undefined)
    throw invalidOptions(`${path}.burst`, 'means nothing without `periodMs`.');
  if (unit === 'concurrent') {
    const time = periodMs === undefined ? every && 'every' : 'periodMs';
    if (time !== undefined) throw invalidOptions(`${path}.${time}`, 'means nothing for `concurrent`.');
    return 'concurrency';
  }
  if (periodMs === undefined) return every === undefined ? 'total' : 'window';
  if (every !== undefined) throw invalidOptions(`${path}.every`, 'name `every` or `periodMs`, not both.');
  if (!Number.isSafeInteger(periodMs) || periodMs < 1)
    throw invalidOptions(`${path}.periodMs`, 'expected whole milliseconds above 0.');
  return 'rate';
}

function dimensionsOf(path: string, { per = [] }: LimitRule): readonly LimitDimension[] {
  const list = (Array.isArray(per) ? per : [per]) as readonly LimitDimension[];
  for (const dimension of list) checkDimension(`${path}.per`, dimension);
  return list;
}

function checkDimension(path: string, dimension: string): void {
  if (SCOPE.has(dimension) || TARGET.has(dimension)) return;
  if (typeof dimension === 'string' && dimension.startsWith('tag:') && dimension.length > 4) return;
  const known = [...SCOPE, 'tag:name', ...TARGET];
  throw invalidOptions(path, `${String(dimension)} is none of ${known.join(', ')}.`);
}

function whereOf(path: string, where: NonNullable<LimitRule['where']>): CompiledRule['where'] {
  return Object.entries(where).map(([dimension, value]) => {
    checkDimension(`${path}.where`, dimension);
    const values = (Array.isArray(value) ? value : [value]) as readonly string[];
    if (values.length === 0 || values.some((one) => typeof one !== 'string'))
      throw invalidOptions(`${path}.where.${dimension}`, 'expected a text, or a list of them.');
    return [dimension as LimitDimension, values] as const;
  });
}

/** An amount in whole units: dollars in nano-dollars, exact. */
export function amountOf(path: string, unit: LimitUnit, value: unknown, lowest: number): number {
  if (unit !== 'costUsd') {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= lowest) return value;
    throw invalidOptions(path, `expected a whole number of at least ${lowest}.`);
  }
  const text = typeof value === 'number' ? String(value) : value;
  const match = typeof text === 'string' ? /^(\d+)(?:\.(\d{1,9}))?$/.exec(text) : null;
  const nano = match === null ? Number.NaN : Number(`${match[1]}${(match[2] ?? '').padEnd(9, '0')}`);
  if (Number.isSafeInteger(nano) && nano >= lowest) return nano;
  throw invalidOptions(path, 'expected US dollars, like 25 or "0.05", below 9 million, to the billionth.');
}

function partsOf(path: string, parts: readonly number[]): readonly number[] {
  if (!Array.isArray(parts)) throw invalidOptions(path, 'expected a list of parts, like [0.8].');
  for (const part of parts) checkPart(path, part);
  return [...parts].sort((a, b) => a - b);
}

function downgradeOf(path: string, downgrade: NonNullable<LimitRule['downgrade']>): { at: number; model: string } {
  const { at, model, ...rest } = downgrade;
  checkPart(`${path}.at`, at);
  if (typeof model !== 'string' || model === '') throw invalidOptions(`${path}.model`, 'expected the name of a model.');
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalidOptions(`${path}.${unknown}`, 'there is no such option.');
  return { at, model };
}

function checkPart(path: string, part: unknown): void {
  if (typeof part !== 'number' || !(part > 0 && part <= 1))
    throw invalidOptions(path, 'expected parts above 0, up to 1.');
}

function nameOf(rule: LimitRule, unit: LimitUnit, per: readonly LimitDimension[]): string {
  const whom = per.length === 0 ? '' : ` per ${per.join(' and ')}`;
  const time = rule.every ?? (rule.periodMs === undefined ? undefined : `${rule.periodMs} ms`);
  return `${unit === 'costUsd' ? 'cost' : unit}${whom}${time === undefined ? '' : ` per ${time}`}`;
}
