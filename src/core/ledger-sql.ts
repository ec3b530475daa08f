import type { Scope } from './call.ts';
import { type AttemptRow, type CallRow, type Dimension, durationStep, type LedgerRow } from './ledger.ts';
import { attemptSums } from './ledger-sums.ts';

/** What a column holds; each database has its own type for it. */
export type ColumnKind = 'text' | 'integer' | 'real' | 'json';
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly required?: true;
}

const text = (name: string): Column => ({ name, kind: 'text' });
const integer = (name: string): Column => ({ name, kind: 'integer' });
const needed = (column: Column): Column => ({ ...column, required: true });

const COMMON: readonly Column[] = [
  needed(text('id')),
  text('parent_id'),
  needed(integer('at')),
  text('tenant'),
  text('user_id'),
  text('app'),
  text('agent'),
  text('session'),
  { name: 'tags', kind: 'json' },
  needed(text('operation')),
  text('purpose'),
  needed(text('model')),
  needed(text('status')),
  text('error_code'),
  needed({ name: 'latency_ms', kind: 'real' }),
  { name: 'first_content_ms', kind: 'real' },
  needed(integer('latency_step')),
  integer('first_content_step'),
  needed(integer('stream')),
];

export const ATTEMPT_COLUMNS: readonly Column[] = [
  ...COMMON,
  needed(text('call_id')),
  needed(integer('number')),
  needed(text('provider')),
  text('served_model'),
  text('region'),
  text('credential'),
  needed(integer('input')),
  needed(integer('output')),
  needed(integer('cache_read')),
  needed(integer('cache_write')),
  needed(integer('reasoning')),
  needed({ name: 'tokens', kind: 'json' }),
  { name: 'units', kind: 'json' },
  needed(text('quality')),
  integer('cost_nano_usd'),
  text('unpriced'),
  integer('reported_nano_usd'),
  needed(text('billing')),
  text('finish'),
  integer('http_status'),
  needed(integer('winner')),
];
export const CALL_COLUMNS: readonly Column[] = [
  ...COMMON,
  needed({ name: 'attempt_ids', kind: 'json' }),
  text('cached'),
  /** A call that saved something of unknown worth has `saved` and no amount. */
  needed(integer('saved')),
  integer('saved_nano_usd'),
  needed(integer('redactions')),
];

export type SqlValue = string | number | bigint | null;

/** The column of a dimension; a tag's is taken out of `tags` by the database. */
export const DIMENSION_COLUMNS: Readonly<Record<string, string>> = {
  tenant: 'tenant',
  user: 'user_id',
  app: 'app',
  agent: 'agent',
  session: 'session',
  operation: 'operation',
  purpose: 'purpose',
  provider: 'provider',
  model: 'model',
  region: 'region',
  credential: 'credential',
  status: 'status',
  errorCode: 'error_code',
  quality: 'quality',
  billing: 'billing',
  finish: 'finish',
  cached: 'cached',
};

/** Whether rows of a kind have the dimension at all. */
export function hasDimension(kind: LedgerRow['kind'], name: Dimension): boolean {
  if (name.startsWith('tag:')) return true;
  const columns = kind === 'attempt' ? ATTEMPT_COLUMNS : CALL_COLUMNS;
  return columns.some((column) => column.name === DIMENSION_COLUMNS[name]);
}

/** The values of a row in the order of its columns. */
export function rowValues(row: LedgerRow): SqlValue[] {
  return row.kind === 'attempt' ? attemptValues(row) : callValues(row);
}

/** Tags in one order, so that equal tags are equal text. */
export function tagsText(scope: Scope): string | null {
  const tags = Object.entries(scope.tags ?? {});
  if (tags.length === 0) return null;
  return JSON.stringify(Object.fromEntries(tags.sort(([left], [right]) => (left < right ? -1 : 1))));
}

function commonValues(row: LedgerRow): SqlValue[] {
  const { scope } = row;
  return [
    row.id,
    row.parentId ?? null,
    row.at,
    scope.tenant ?? null,
    scope.user ?? null,
    scope.app ?? null,
    scope.agent ?? null,
    scope.session ?? null,
    tagsText(scope),
    row.operation,
    row.purpose ?? null,
    row.model,
    row.status,
    row.errorCode ?? null,
    row.latencyMs,
    row.firstContentMs ?? null,
    durationStep(row.latencyMs),
    row.firstContentMs === undefined ? null : durationStep(row.firstContentMs),
    row.stream ? 1 : 0,
  ];
}

function attemptValues(row: AttemptRow): SqlValue[] {
  const { cacheRead, cacheWrite, reasoning } = attemptSums(row);
  return [
    ...commonValues(row),
    row.callId,
    row.number,
    row.provider,
    row.servedModel ?? null,
    row.region ?? null,
    row.credential ?? null,
    row.input,
    row.output,
    cacheRead,
    cacheWrite,
    reasoning,
    JSON.stringify(row.tokens),
    row.units === undefined ? null : JSON.stringify(row.units),
    row.quality,
    row.costNanoUsd,
    row.unpriced ?? null,
    row.reportedNanoUsd ?? null,
    row.billing,
    row.finish ?? null,
    row.httpStatus ?? null,
    row.winner ? 1 : 0,
  ];
}

function callValues(row: CallRow): SqlValue[] {
  return [
    ...commonValues(row),
    JSON.stringify(row.attemptIds),
    row.cached ?? null,
    row.savedNanoUsd === undefined ? 0 : 1,
    row.savedNanoUsd ?? null,
    row.redactions,
  ];
}

type Raw = Readonly<Record<string, unknown>>;

/** A row as the database gave it: JSON as text or parsed, money as text, everything else as is. */
export function rowFrom(kind: LedgerRow['kind'], raw: Raw): LedgerRow {
  const scope: Record<string, unknown> = {};
  for (const name of ['tenant', 'user', 'app', 'agent', 'session']) {
    const value = raw[DIMENSION_COLUMNS[name] ?? name];
    if (value !== null) scope[name] = value;
  }
  if (raw.tags !== null) scope.tags = json(raw.tags);
  const row: Record<string, unknown> = {
    kind,
    id: raw.id,
    at: Number(raw.at),
    scope,
    operation: raw.operation,
    model: raw.model,
    status: raw.status,
    latencyMs: raw.latency_ms,
    stream: Number(raw.stream) === 1,
  };
  const optional = (field: string, value: unknown): void => {
    if (value !== null && value !== undefined) row[field] = value;
  };
  optional('parentId', raw.parent_id);
  optional('purpose', raw.purpose);
  optional('errorCode', raw.error_code);
  optional('firstContentMs', raw.first_content_ms);
  if (kind === 'call') {
    row.attemptIds = json(raw.attempt_ids);
    optional('cached', raw.cached);
    if (Number(raw.saved) === 1) row.savedNanoUsd = money(raw.saved_nano_usd);
    row.redactions = Number(raw.redactions);
  } else {
    for (const name of ['number', 'input', 'output']) row[name] = Number(raw[name]);
    row.callId = raw.call_id;
    row.provider = raw.provider;
    row.tokens = json(raw.tokens);
    row.quality = raw.quality;
    row.billing = raw.billing;
    row.winner = Number(raw.winner) === 1;
    row.costNanoUsd = money(raw.cost_nano_usd);
    optional('servedModel', raw.served_model);
    optional('region', raw.region);
    optional('credential', raw.credential);
    optional('units', raw.units === null ? null : json(raw.units));
    optional('unpriced', raw.unpriced);
    optional('reportedNanoUsd', money(raw.reported_nano_usd));
    optional('finish', raw.finish);
    optional('httpStatus', raw.http_status === null ? null : Number(raw.http_status));
  }
  // Every field was written by rowValues, which takes only rows.
  return row as unknown as LedgerRow;
}

function json(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : value;
}

function money(value: unknown): bigint | null {
  return value === null || value === undefined ? null : BigInt(value as string);
}

/** Columns to select for `rowFrom`: whole money as text, since it may not fit a number. */
export function selectColumns(kind: LedgerRow['kind']): string {
  const columns = kind === 'attempt' ? ATTEMPT_COLUMNS : CALL_COLUMNS;
  return columns.map(({ name }) => (name.endsWith('_nano_usd') ? `CAST(${name} AS TEXT) AS ${name}` : name)).join(', ');
}
