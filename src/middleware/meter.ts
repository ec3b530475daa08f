import { EstimateErrors, type EstimateError } from '../core/estimate-errors.ts';
import { invalidOptions, toGatewayError } from '../core/errors.ts';
import type { AttemptRow, CallRow, Ledger, LedgerRow } from '../core/ledger.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import {
  aFunction,
  anObject,
  checkOptions,
  milliseconds,
  oneOf,
  type OptionRule,
  wholeNumber,
} from '../core/options.ts';
import { END_MS_MAX } from '../core/open-calls.ts';
import { settle } from '../core/reply.ts';
import type { PriceTable } from '../pricing/table.ts';
import { Accounts } from './meter/accounts.ts';
import { type ContentLogOptions, logContent } from './meter/content-log.ts';
import { Output } from './meter/output.ts';
import { pricingWith } from './meter/pricing.ts';

export { type ContentEntry, contentKey, type ContentLogOptions } from './meter/content-log.ts';
export type { AttemptRow, CallRow, EstimateError, LedgerRow };

export interface MeterOptions {
  /**
   * Gets every row at once: an attempt's when it has ended and it is known whether it served the caller, a call's after
   * its attempts. A sink that throws or rejects harms no call; it becomes a `problem` event.
   *
   * @defaultValue none: usage and cost still stand on the response and on events
   */
  readonly sink?: (row: LedgerRow) => void | Promise<void>;
  /** Keeps every row, in batches. It is flushed when the gateway closes, and stays open. @defaultValue none */
  readonly ledger?: Pick<Ledger, 'write' | 'flush'>;
  /** What tokens cost, like `createPriceTable({ overrides })`. @defaultValue the bundled list, loaded when first needed */
  readonly prices?: PriceTable;
  /** Keeps prompts and answers too. @defaultValue none: rows have no content */
  readonly content?: ContentLogOptions;
  /** Rows that go to the ledger together. @defaultValue 200 */
  readonly batchSize?: number;
  /** Longest wait of a row for its batch, in milliseconds. @defaultValue 1_000 */
  readonly intervalMs?: number;
  /** Rows that may wait. @defaultValue 10_000 */
  readonly queueMax?: number;
  /**
   * While so many wait: `drop-oldest` loses rows and counts them, `block` makes new calls wait, `refuse` fails new calls
   * with `limit-exceeded`.
   *
   * @defaultValue 'drop-oldest'
   */
  readonly onFull?: 'drop-oldest' | 'block' | 'refuse';
}

/** The middleware, with a handle on its books. */
export type Meter = Middleware & {
  /** Resolves when every row so far is kept. */
  flush(): Promise<void>;
  /** Rows lost so far. Above 0, the books are incomplete. */
  readonly dropped: number;
  /** How far estimates of input tokens were from what providers report, by target. */
  estimates(): readonly EstimateError[];
};

const aLedger: OptionRule = (value) =>
  typeof (value as Ledger | null)?.write === 'function' && typeof (value as Ledger).flush === 'function'
    ? undefined
    : 'expected a ledger, like sqliteLedger({ path })';
const aPriceTable: OptionRule = (value) =>
  typeof (value as PriceTable | null)?.costOf === 'function' && typeof (value as PriceTable).nanoUsdOf === 'function'
    ? undefined
    : 'expected a price table, like createPriceTable()';

/**
 * Keeps the books: who used what, and what it cost. One row for every attempt and every call, once, whatever happens.
 *
 * Stands outermost; its attempt face sees all attempts wherever it stands. Sets `response.cost`.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * createGateway({ providers, use: [meter({ ledger: sqliteLedger({ path: 'usage.db' }) }), retry(), route()] })
 */
export function meter(options: MeterOptions = {}): Meter {
  check(options);
  let host: Host | undefined;
  let output: Output | undefined;
  let gateways = 0;
  const problem = (thrown: unknown, stage: string): void => {
    const error = toGatewayError(thrown, stage);
    host?.emit('problem', { stage, code: error.code, error });
  };
  const pricing = pricingWith(options.prices, (thrown) => problem(thrown, 'meter.prices'));
  const estimates = new EstimateErrors();
  const accounts = new Accounts(pricing, estimates, (row) => output?.write(row));
  const { content } = options;
  const layer = defineMiddleware(
    {
      name: 'meter',
      ...(content !== undefined && { content: { reads: true } }),
      start(given) {
        gateways++;
        host = given;
        output ??= new Output(options, given);
        // In the background, so that the first call does not wait for it.
        if (!pricing.loaded) void pricing.load();
      },
      attempt(call) {
        if (pricing.loaded) return accounts.observe(call);
        return pricing.load().then(() => accounts.observe(call));
      },
      async close() {
        if (--gateways > 0) return output?.flush();
        if (host !== undefined) await accounts.open.emptied(host.clock, END_MS_MAX);
        accounts.closeAll();
        await output?.close();
      },
    },
    async function meter(call, next) {
      // Where it stands inside a retry it is met again by the same call, whose books are open already.
      if (accounts.open.get(call.id) !== undefined) return next(call);
      const room = output?.room();
      if (room !== undefined) await room;
      if (!pricing.loaded) await pricing.load();
      const reply = accounts.follow(call, () => next(call));
      if (content === undefined) return reply;
      const at = call.context.clock.now();
      return settle(reply, call.operation, (outcome) => {
        call.context.waitUntil(logContent(content, call, at, outcome));
      });
    },
  );
  return Object.defineProperties(layer, {
    flush: { value: async () => output?.flush() },
    dropped: { get: () => output?.dropped ?? 0 },
    estimates: { value: () => estimates.list() },
  }) as Meter;
}

function check(options: MeterOptions): void {
  checkOptions('meter', options, {
    sink: aFunction,
    ledger: aLedger,
    prices: aPriceTable,
    content: anObject,
    batchSize: wholeNumber(1),
    intervalMs: milliseconds,
    queueMax: wholeNumber(1),
    onFull: oneOf('drop-oldest', 'block', 'refuse'),
  });
  const { content, batchSize = 200, queueMax = 10_000 } = options;
  if (queueMax < batchSize) throw invalidOptions('meter.queueMax', 'must be at least batchSize.');
  if (content === undefined) return;
  checkOptions('meter.content', content, {
    store: (value) =>
      typeof (value as ContentLogOptions['store'] | null)?.set === 'function'
        ? undefined
        : 'expected a store, like encrypted(sqliteStore(…), { keys, current })',
    view: oneOf('masked', 'raw'),
    ttlMs: wholeNumber(1),
  });
}
