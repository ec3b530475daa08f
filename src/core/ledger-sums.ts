import type { Tokens } from '../operations/shared.ts';
import {
  type AttemptRow,
  type AttemptTotals,
  type CallRow,
  type CallTotals,
  checkDimension,
  type Dimension,
  intervalStart,
  type LedgerFilter,
  type LedgerQuery,
  type LedgerRow,
  limitOf,
} from './ledger.ts';

/** Sums of one group of attempts, while they are made. */
export interface AttemptSums {
  attempts: number;
  failed: number;
  cancelled: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  reasoning: number;
  cost: bigint;
  wasted: bigint;
  unpriced: number;
  latencyMs: number;
}
export interface CallSums {
  calls: number;
  failed: number;
  cancelled: number;
  cached: number;
  redactions: number;
  saved: bigint;
  latencyMs: number;
}

export function noAttempts(): AttemptSums {
  return {
    attempts: 0,
    failed: 0,
    cancelled: 0,
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    reasoning: 0,
    cost: 0n,
    wasted: 0n,
    unpriced: 0,
    latencyMs: 0,
  };
}

export function noCalls(): CallSums {
  return { calls: 0, failed: 0, cancelled: 0, cached: 0, redactions: 0, saved: 0n, latencyMs: 0 };
}

/** Sum of all classes whose name begins so: `cacheRead` and `cacheReadAudio`. */
export function classSum(tokens: Tokens, prefix: string): number {
  let sum = 0;
  for (const [name, count] of Object.entries(tokens)) if (name.startsWith(prefix)) sum += count ?? 0;
  return sum;
}

export function attemptSums(row: AttemptRow): AttemptSums {
  return {
    attempts: 1,
    failed: row.status === 'failed' ? 1 : 0,
    cancelled: row.status === 'cancelled' ? 1 : 0,
    input: row.input,
    output: row.output,
    cacheRead: classSum(row.tokens, 'cacheRead'),
    cacheWrite: classSum(row.tokens, 'cacheWrite'),
    reasoning: row.tokens.reasoning ?? 0,
    cost: row.costNanoUsd ?? 0n,
    wasted: row.winner ? 0n : (row.costNanoUsd ?? 0n),
    unpriced: row.costNanoUsd === null && row.billing !== 'no' ? 1 : 0,
    latencyMs: row.latencyMs,
  };
}

export function callSums(row: CallRow): CallSums {
  return {
    calls: 1,
    failed: row.status === 'failed' ? 1 : 0,
    cancelled: row.status === 'cancelled' ? 1 : 0,
    cached: row.cached === undefined ? 0 : 1,
    redactions: row.redactions,
    saved: row.savedNanoUsd ?? 0n,
    latencyMs: row.latencyMs,
  };
}

/** Adds one group's sums to another's, field by field. */
export function addSums<S extends AttemptSums | CallSums>(into: S, more: S): void {
  const target = into as unknown as Record<string, number | bigint>;
  for (const [name, value] of Object.entries(more) as [string, number | bigint][]) {
    // Both sides of a field have one type, which the compiler cannot see through the index.
    target[name] = ((target[name] as number) + (value as number)) as number | bigint;
  }
}

export function dimensionOf(row: LedgerRow, name: Dimension): string | null {
  if (name.startsWith('tag:')) return row.scope.tags?.[name.slice(4)] ?? null;
  const { scope } = row;
  if (name === 'tenant' || name === 'user' || name === 'app' || name === 'agent' || name === 'session') {
    return scope[name] ?? null;
  }
  const value = (row as unknown as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : null;
}

export function matches(row: LedgerRow, filter: LedgerFilter): boolean {
  if (filter.from !== undefined && row.at < filter.from) return false;
  if (filter.to !== undefined && row.at >= filter.to) return false;
  for (const [name, wanted] of Object.entries(filter.where ?? {})) {
    if (wanted === undefined) continue;
    const value = dimensionOf(row, checkDimension(name));
    const fits =
      typeof wanted === 'object' && wanted !== null ? value !== null && wanted.includes(value) : value === wanted;
    if (!fits) return false;
  }
  return true;
}

/** One group's key and its sums. */
export interface Group<S> {
  readonly key: Readonly<Record<string, string | null>>;
  readonly start?: number;
  readonly sums: S;
}

/** Collects sums by group, from rows or from parts already summed. */
export class Groups<S extends AttemptSums | CallSums> {
  readonly #groups = new Map<string, Group<S>>();
  readonly #empty: () => S;

  constructor(empty: () => S) {
    this.#empty = empty;
  }

  add(values: readonly (string | null)[], names: readonly Dimension[], start: number | undefined, sums: S): void {
    const id = start === undefined ? JSON.stringify(values) : `${start}${JSON.stringify(values)}`;
    let group = this.#groups.get(id);
    if (group === undefined) {
      const key = Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
      group = { key, ...(start !== undefined && { start }), sums: this.#empty() };
      this.#groups.set(id, group);
    }
    addSums(group.sums, sums);
  }

  addRow(row: LedgerRow, query: LedgerQuery, sums: S): void {
    const names = query.groupBy ?? [];
    const start = query.interval === undefined ? undefined : intervalStart(row.at, query.interval);
    this.add(
      names.map((name) => dimensionOf(row, name)),
      names,
      start,
      sums,
    );
  }

  list(): Group<S>[] {
    return [...this.#groups.values()];
  }
}

export function attemptTotals(groups: Groups<AttemptSums>, query: LedgerQuery): AttemptTotals[] {
  const weight = (sums: AttemptSums): bigint => {
    const order = query.orderBy ?? 'cost';
    if (order === 'cost') return sums.cost;
    if (order === 'tokens') return BigInt(sums.input + sums.output);
    return BigInt(order === 'errors' ? sums.failed : sums.attempts);
  };
  return ordered(groups.list(), weight, query).map(({ key, start, sums }) => ({
    key,
    ...(start !== undefined && { start }),
    attempts: sums.attempts,
    failed: sums.failed,
    cancelled: sums.cancelled,
    errorRate: sums.attempts === 0 ? 0 : sums.failed / sums.attempts,
    input: sums.input,
    output: sums.output,
    cacheRead: sums.cacheRead,
    cacheWrite: sums.cacheWrite,
    reasoning: sums.reasoning,
    costNanoUsd: sums.cost,
    wastedNanoUsd: sums.wasted,
    unpriced: sums.unpriced,
    latencyMs: sums.attempts === 0 ? 0 : sums.latencyMs / sums.attempts,
  }));
}

export function callTotals(groups: Groups<CallSums>, query: LedgerQuery): CallTotals[] {
  return ordered(groups.list(), (sums) => BigInt(sums.calls), query).map(({ key, start, sums }) => ({
    key,
    ...(start !== undefined && { start }),
    calls: sums.calls,
    failed: sums.failed,
    cancelled: sums.cancelled,
    cached: sums.cached,
    redactions: sums.redactions,
    savedNanoUsd: sums.saved,
    latencyMs: sums.calls === 0 ? 0 : sums.latencyMs / sums.calls,
  }));
}

function ordered<S>(groups: Group<S>[], weight: (sums: S) => bigint, query: LedgerQuery): Group<S>[] {
  const sorted = groups.sort((left, right) => {
    const time = (left.start ?? 0) - (right.start ?? 0);
    if (time !== 0) return time;
    const difference = weight(right.sums) - weight(left.sums);
    return difference > 0n ? 1 : difference < 0n ? -1 : 0;
  });
  return sorted.slice(0, limitOf(query));
}
