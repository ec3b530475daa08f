import type { Tokens, UnitClass, Usage } from '../operations/shared.ts';
import type { Scope } from './call.ts';
import { invalidRequest } from './errors.ts';

interface RowBase {
  /** Unique among rows of its kind: writing a row again changes nothing. */
  readonly id: string;
  /** The call this one was made for, if it is a sub-call. */
  readonly parentId?: string;
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
  readonly scope: Scope;
  readonly operation: string;
  readonly purpose?: string;
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly errorCode?: string;
  readonly latencyMs: number;
  readonly firstContentMs?: number;
  readonly stream: boolean;
}

/** One exchange with one target. Tokens and money stand here and nowhere else. */
export interface AttemptRow extends RowBase {
  readonly kind: 'attempt';
  readonly callId: string;
  /** 1 for the first attempt of the call. */
  readonly number: number;
  readonly provider: string;
  /** The model asked for. */
  readonly model: string;
  /** The model that answered, as the provider names it. */
  readonly servedModel?: string;
  readonly region?: string;
  readonly credential?: string;
  readonly input: number;
  readonly output: number;
  readonly tokens: Tokens;
  readonly units?: Readonly<Partial<Record<UnitClass, number>>>;
  readonly quality: Usage['quality'];
  /** Billionths of a US dollar. `null`: unknown, which is not nothing. */
  readonly costNanoUsd: bigint | null;
  /** Why there is no cost. */
  readonly unpriced?: string;
  /** What the provider says it cost. Kept beside ours and in no sum. */
  readonly reportedNanoUsd?: bigint;
  /** Whether the provider bills it, although it may have failed. */
  readonly billing: 'yes' | 'possible' | 'no';
  readonly finish?: string;
  readonly httpStatus?: number;
  /** Its answer is the one the caller got. */
  readonly winner: boolean;
}

/** One call. Refers to its attempts and is in no sum of tokens or money. */
export interface CallRow extends RowBase {
  readonly kind: 'call';
  /** As the caller named it: an alias, `provider/model` or a model. */
  readonly model: string;
  readonly attemptIds: readonly string[];
  /** How the answer came without a model. */
  readonly cached?: string;
  /** What caches spared: a cached answer, or a provider's prompt cache. `null`: unknown. Not set: nothing. */
  readonly savedNanoUsd?: bigint | null;
  /** Values that were masked in the request. */
  readonly redactions: number;
}
export type LedgerRow = AttemptRow | CallRow;

/** What can be filtered and grouped by. `tag:team` is the tag `team` of the scope. */
export const DIMENSIONS = [
  'tenant',
  'user',
  'app',
  'agent',
  'session',
  'operation',
  'purpose',
  'provider',
  'model',
  'region',
  'credential',
  'status',
  'errorCode',
  'quality',
  'billing',
  'finish',
  'cached',
] as const;
export type Dimension = (typeof DIMENSIONS)[number] | `tag:${string}`;

export interface LedgerFilter {
  /** Rows that began at or after, milliseconds since the epoch. */
  readonly from?: number;
  /** Rows that began before. */
  readonly to?: number;
  /** A value, any of several, or `null` for rows that have none. */
  readonly where?: Readonly<Partial<Record<Dimension, string | null | readonly string[]>>>;
}
export interface LedgerQuery extends LedgerFilter {
  /** Left out: one total of everything. */
  readonly groupBy?: readonly Dimension[];
  /** Makes a time series. Days and months are UTC. */
  readonly interval?: 'minute' | 'hour' | 'day' | 'month';
  /** Largest first; a time series is ordered by time before this. @defaultValue 'cost' */
  readonly orderBy?: 'cost' | 'attempts' | 'tokens' | 'errors';
  /** Groups given back. @defaultValue 1000 @maximum 100_000 */
  readonly limit?: number;
}

/** Sums over attempts. */
export interface AttemptTotals {
  readonly key: Readonly<Record<string, string | null>>;
  /** Begin of the interval, in a time series. */
  readonly start?: number;
  readonly attempts: number;
  readonly failed: number;
  readonly cancelled: number;
  /** `failed / attempts`. */
  readonly errorRate: number;
  readonly input: number;
  readonly output: number;
  /** Of `input`: read from a provider's cache, and written to it. */
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** Of `output`. */
  readonly reasoning: number;
  /** Sum of all known costs. */
  readonly costNanoUsd: bigint;
  /** Of it: attempts that did not give the caller an answer. */
  readonly wastedNanoUsd: bigint;
  /** Attempts without a known cost, bills that are certain not to come left out. Above 0, the cost is a lower bound. */
  readonly unpriced: number;
  readonly latencyMs: number;
}
/** Sums over calls. */
export interface CallTotals {
  readonly key: Readonly<Record<string, string | null>>;
  readonly start?: number;
  readonly calls: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly cached: number;
  readonly redactions: number;
  readonly savedNanoUsd: bigint;
  readonly latencyMs: number;
}
export interface PercentileQuery extends LedgerFilter {
  readonly of: 'latencyMs' | 'firstContentMs';
  /** Shares from 0 to 1. @defaultValue [0.5, 0.95, 0.99] */
  readonly shares?: readonly number[];
  readonly groupBy?: readonly Dimension[];
}
export interface Percentiles {
  readonly key: Readonly<Record<string, string | null>>;
  readonly count: number;
  /** In the order of `shares`; within 1 % of the true value. */
  readonly values: readonly number[];
}
export interface LedgerRemoval {
  /** Rows of this tenant; `null` for rows without one. */
  readonly tenant?: string | null;
  /** Rows that began before, milliseconds since the epoch. */
  readonly before?: number;
}

/** Keeps who used what and what it cost. Every implementation passes `ledgerContract`. */
export interface Ledger {
  /** Resolves when the rows are kept. Rows already written are ignored, so a failed write may be repeated. */
  write(rows: readonly LedgerRow[]): Promise<void>;
  totals(query?: LedgerQuery): Promise<readonly AttemptTotals[]>;
  calls(query?: Omit<LedgerQuery, 'orderBy'>): Promise<readonly CallTotals[]>;
  percentiles(query: PercentileQuery): Promise<readonly Percentiles[]>;
  /** Single rows by time, oldest first. */
  rows(filter?: LedgerFilter & { readonly kind?: LedgerRow['kind'] }): AsyncIterable<LedgerRow>;
  /** Deletes rows for good, and from all totals. One of the fields must be given. Says how many rows went. */
  remove(removal: LedgerRemoval): Promise<number>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export const LEDGER_LIMITS = { groups: 1000, groupsMax: 100_000, tagNameMax: 100 } as const;
const TAG = /^tag:[\w.:/-]{1,100}$/;

/** Checks a dimension that comes from outside: it becomes part of SQL. */
export function checkDimension(name: string): Dimension {
  if ((DIMENSIONS as readonly string[]).includes(name) || TAG.test(name)) return name as Dimension;
  throw invalidRequest(
    'groupBy',
    `"${name.slice(0, 100)}" is no dimension; use one of ${DIMENSIONS.join(', ')} or tag:<name>.`,
  );
}

export function limitOf(query: { readonly limit?: number }): number {
  const limit = query.limit ?? LEDGER_LIMITS.groups;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LEDGER_LIMITS.groupsMax) {
    throw invalidRequest('limit', `must be a whole number from 1 to ${LEDGER_LIMITS.groupsMax}.`);
  }
  return limit;
}

/** A removal that names nothing would delete everything. */
export function checkRemoval(removal: LedgerRemoval): LedgerRemoval {
  if (removal.tenant === undefined && removal.before === undefined) {
    throw invalidRequest('remove', 'name a tenant or a time; an empty removal would delete the whole ledger.');
  }
  return removal;
}

/** Begin of the interval a time lies in. */
export function intervalStart(at: number, interval: NonNullable<LedgerQuery['interval']>): number {
  if (interval === 'month') {
    const date = new Date(at);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const size = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[interval];
  return Math.floor(at / size) * size;
}

const GROWTH = Math.log(1.02);

/** Durations are kept in steps of 2 %, so that percentiles can be added up over days and are within 1 %. */
export function durationStep(ms: number): number {
  return Math.round(Math.log(Math.max(ms, 0.01)) / GROWTH);
}

export function stepDuration(step: number): number {
  return Math.exp(step * GROWTH);
}

/** The values at the given shares, from counts by step. */
export function percentilesOf(counts: ReadonlyMap<number, number>, shares: readonly number[]): number[] {
  const steps = [...counts.keys()].sort((left, right) => left - right);
  const total = steps.reduce((sum, step) => sum + (counts.get(step) ?? 0), 0);
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    let seen = 0;
    for (const step of steps) {
      seen += counts.get(step) ?? 0;
      if (seen >= rank) return stepDuration(step);
    }
    return 0;
  });
}
