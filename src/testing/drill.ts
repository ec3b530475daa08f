import { type GatewayError, toGatewayError } from '../core/errors.ts';
import { aFunction, aList, anObject, checkOptions, milliseconds, oneOf, wholeNumber } from '../core/options.ts';
import type { Gateway } from '../gateway-types.ts';
import type { GatewayChatResponse } from '../response.ts';
import type { FakeClock } from './fake-clock.ts';
import { faultRows } from './matrix/rows.ts';
import type { FaultRow } from './matrix/row.ts';
import { type MockProvider, mockProvider } from './mock-provider.ts';
import type { MockProtocol } from './wire/protocols.ts';

export interface DrillOptions {
  /** The clock the gateway was made with, if that is a fake one: then silence takes no real time. */
  readonly clock?: FakeClock;
  /** Alias or model to call. @defaultValue the gateway's `default` */
  readonly model?: string;
  /** Providers that fail; the others answer. @defaultValue the first one the call would go to */
  readonly failing?: readonly string[];
  /** Calls the fault strikes before the provider is well again; `0` is for ever. @defaultValue 0 */
  readonly times?: number;
  /** Longest time for one call, in milliseconds. @defaultValue the gateway's own; 2_000 without a fake clock */
  readonly timeoutMs?: number;
  /** Which rows to run, by their id. @defaultValue all */
  readonly only?: (id: string) => boolean;
  /** The protocol failures are written in. @defaultValue 'openai-chat' */
  readonly protocol?: MockProtocol;
}

/** What a user of the gateway would have seen of one fault. */
export interface DrillRow {
  readonly id: string;
  readonly fault: string;
  readonly mode: 'plain' | 'stream';
  /** `answered`, `partial` (content came, then an error), or `failed`. */
  readonly seen: 'answered' | 'partial' | 'failed';
  /** Where the answer came from, or the code of the error. */
  readonly detail: string;
  readonly ms: number;
  readonly attempts: number;
  /** In US dollars, where prices are known. */
  readonly costUsd?: number;
}

export interface DrillReport {
  readonly rows: readonly DrillRow[];
  readonly answered: number;
  readonly partial: number;
  readonly failed: number;
  /** The table as text. */
  toString(): string;
}

/**
 * Runs a gateway of yours through every way a call can fail, and tells what its users would have seen: its own
 * middleware, aliases and limits, with mocks in place of its providers. A function makes a new gateway for each fault,
 * so that breakers and budgets do not carry over.
 *
 * @example
 * const clock = fakeClock();
 * console.log(String(await drill(() => createGateway({ ...options, clock }), { clock })));
 */
export async function drill(subject: Gateway | (() => Gateway), options: DrillOptions = {}): Promise<DrillReport> {
  checkOptions('drill', options, {
    clock: anObject,
    model: (value) => (typeof value === 'string' ? undefined : 'expected a text'),
    failing: aList,
    times: wholeNumber(0),
    timeoutMs: milliseconds,
    only: aFunction,
    protocol: oneOf('openai-chat', 'openai-responses', 'anthropic-messages'),
  });
  const rows: DrillRow[] = [];
  for (const row of faultRows(options.clock?.now())) {
    if (options.only !== undefined && !options.only(row.id)) continue;
    rows.push(await drillOne(typeof subject === 'function' ? subject() : subject, row, options));
  }
  const count = (seen: DrillRow['seen']): number => rows.filter((row) => row.seen === seen).length;
  return {
    rows,
    answered: count('answered'),
    partial: count('partial'),
    failed: count('failed'),
    toString: () => tableOf(rows),
  };
}

async function drillOne(gateway: Gateway, row: FaultRow, options: DrillOptions): Promise<DrillRow> {
  const { clock } = options;
  const mock = mockProvider({ ...(options.protocol !== undefined && { protocol: options.protocol }) });
  const request = { prompt: 'drill', ...(options.model !== undefined && { model: options.model }) };
  const stage = gateway.with({ providers: mock.everywhere() });
  script(mock, row, options.failing ?? [stage.explain(request).candidates[0]?.provider ?? ''], options.times ?? 0);
  const timeoutMs = options.timeoutMs ?? (clock === undefined ? 2_000 : undefined);
  const now = (): number => clock?.monotonic() ?? performance.now();
  const began = now();
  const work = call(stage, row, request, timeoutMs);
  const outcome = await (clock === undefined ? work : clock.settled(work));
  const ms = Math.round(now() - began);
  const base = { id: row.id, fault: row.title, mode: row.mode, ms };
  if ('response' in outcome) {
    const { target, attempts, cost } = outcome.response;
    const spent = cost?.spentNanoUsd;
    return {
      ...base,
      seen: 'answered',
      detail: `${target.provider}/${target.model}`,
      attempts: attempts.length,
      ...(spent !== undefined && spent !== null && { costUsd: Number(spent) / 1e9 }),
    };
  }
  const { error } = outcome;
  return {
    ...base,
    seen: error.committed ? 'partial' : 'failed',
    detail: error.code,
    attempts: error.attempts.length,
  };
}

function script(mock: MockProvider, row: FaultRow, failing: readonly string[], times: number): void {
  for (const provider of failing) {
    const bad = mock.on({ provider });
    if (row.answer === 'tools') bad.callTool('find', { query: 'a b' }).callTool('find', { query: 'c d' });
    else bad.reply('one two three four');
    bad.fault(...row.faults);
    if (times > 0) bad.times(times);
    else bad.always();
  }
  mock.reply('one two three four');
}

type Outcome = { readonly response: GatewayChatResponse } | { readonly error: GatewayError };

async function call(
  gateway: Gateway,
  row: FaultRow,
  request: { readonly prompt: string; readonly model?: string },
  timeoutMs: number | undefined,
): Promise<Outcome> {
  const bound = timeoutMs === undefined ? {} : { timeoutMs };
  try {
    if (row.mode === 'plain') return { response: await gateway.chat(request, bound) };
    const stream = gateway.stream(request, bound);
    return { response: await stream.response };
  } catch (thrown) {
    return { error: toGatewayError(thrown, 'The drill') };
  }
}

function tableOf(rows: readonly DrillRow[]): string {
  const head = ['fault', 'mode', 'seen', 'by / code', 'ms', 'attempts', 'US$'];
  const lines = rows.map(({ fault, mode, seen, detail, ms, attempts, costUsd }) => [
    fault,
    mode,
    seen,
    detail,
    String(ms),
    String(attempts),
    costUsd === undefined ? '' : costUsd.toFixed(6),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length)),
  );
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 4 || column === 5 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const ruler = widths.map((width) => '-'.repeat(width)).join('  ');
  const all = (seen: DrillRow['seen']): number => rows.filter((row) => row.seen === seen).length;
  const sum = `${rows.length} faults: ${all('answered')} answered, ${all('partial')} partial, ${all('failed')} failed`;
  return [format(head), ruler, ...lines.map(format), ruler, sum].join('\n');
}
