import { CallAccount, usedAlone } from '../../core/call-account.ts';
import { type CallFacts, settleFacts } from '../../core/call-facts.ts';
import type { Call, Reply } from '../../core/call.ts';
import { costKey } from '../../core/cost.ts';
import { GatewayError } from '../../core/errors.ts';
import type { EstimateErrors } from '../../core/estimate-errors.ts';
import type { LedgerRow } from '../../core/ledger.ts';
import { type AttemptPrice, attemptRow, type Beginning, callRow, freePrice } from '../../core/meter-rows.ts';
import type { AttemptObserver, AttemptOutcome } from '../../core/middleware.ts';
import { OpenCalls } from '../../core/open-calls.ts';
import type { Usage } from '../../operations/shared.ts';
import { traitsOf } from '../../operations/traits-table.ts';
import { type Pricing, whereOf } from './pricing.ts';

interface Open {
  readonly call: Call;
  readonly account: CallAccount;
  readonly began: Beginning;
  firstContentMs: number | undefined;
  /** What a cache of ours spared is booked. */
  spared: boolean;
}

/** A provider's own amount may differ from ours by one part in so many. */
const MISMATCH = 100n;
const WARNED_TARGETS_MAX = 1_000;

/** The books of all calls that are running: makes every row once and hands it on. */
export class Accounts {
  readonly #pricing: Pricing;
  readonly #estimates: EstimateErrors;
  readonly #write: (row: LedgerRow) => void;
  readonly #open = new OpenCalls<Open>();
  readonly #warned = new Map<string, Set<string>>();
  #refusals = 0;

  constructor(pricing: Pricing, estimates: EstimateErrors, write: (row: LedgerRow) => void) {
    this.#pricing = pricing;
    this.#estimates = estimates;
    this.#write = write;
  }

  get open(): Pick<OpenCalls<Open>, 'get' | 'emptied'> {
    return this.#open;
  }

  /** Opens the books of a call and closes them when it ends. */
  follow<R extends Reply>(call: Call, next: () => Promise<R>): Promise<R> {
    const { clock } = call.context;
    const began = { at: clock.now(), monotonic: clock.monotonic() };
    const open: Open = { call, account: new CallAccount(call.id), began, firstContentMs: undefined, spared: false };
    this.#open.set(call.id, open);
    const reply = next();
    const timed = call.stream ? this.#timed(open, reply) : reply;
    return settleFacts(timed, {
      terminal: (facts) => this.#foresee(open, facts),
      end: (facts) => this.#close(open, facts),
    });
  }

  /** Observes one attempt of any call, also of sub-calls. */
  observe(call: Call): AttemptObserver {
    const { clock } = call.context;
    const began = { at: clock.now(), monotonic: clock.monotonic() };
    const open = this.#open.nearest(call.id);
    open?.account.began(call.id);
    return { end: (outcome) => this.#ended(call, outcome, began, open) };
  }

  /** Closes the books of calls that nobody will end any more. */
  closeAll(): void {
    for (const open of this.#open.values()) {
      const error = new GatewayError('closed', 'The gateway was closed while the call was running.');
      this.#close(open, { status: 'cancelled', error });
    }
  }

  async #timed<R extends Reply>(open: Open, reply: Promise<R>): Promise<R> {
    const settled = await reply;
    open.firstContentMs = open.call.context.clock.monotonic() - open.began.monotonic;
    return settled;
  }

  #ended(call: Call, outcome: AttemptOutcome, began: Beginning, open: Open | undefined): void {
    const attemptId = call.attempt?.id ?? call.id;
    // A refused attempt gives its number back, so its id will be used again.
    const id = outcome.status === 'refused' ? `${attemptId}-refused-${++this.#refusals}` : attemptId;
    const price = this.#priceOf(call, outcome, began);
    const row = attemptRow(call, outcome, began, price, id);
    if (price.unpriced !== undefined) this.#warn(call, price.unpriced, price.detail);
    if (row.reportedNanoUsd !== undefined && row.costNanoUsd !== null) {
      this.#compare(call, id, row.costNanoUsd, row.reportedNanoUsd);
    }
    if (outcome.usage?.quality === 'reported') this.#track(call, outcome.usage);
    const running = open !== undefined && this.#open.get(open.call.id) === open;
    const final = running ? open.account.ended(row, price) : { ...row, winner: usedAlone(row) };
    if (final !== undefined) this.#write(final);
  }

  #priceOf(call: Call, outcome: AttemptOutcome, began: Beginning): AttemptPrice {
    if (outcome.billing === 'no') return freePrice();
    if (outcome.usage === undefined) return { costNanoUsd: null, unpriced: 'unknown-usage', savedNanoUsd: 0n };
    return this.#pricing.price(outcome.usage, whereOf(call, began.at, outcome.tier));
  }

  /** The caller reads `response.cost` before the stream is closed: by then its last attempt has not ended yet. */
  #foresee(open: Open, facts: CallFacts): void {
    const { call, account, began } = open;
    const { usage, target, cached, tier } = facts;
    this.#spare(open, facts);
    const served = cached === undefined ? target : undefined;
    if (served === undefined || account.running === 0) {
      call.context.set(costKey, account.foreseen(served));
      return;
    }
    const where = whereOf({ ...call, target: { ...served, id: '' } }, began.at, tier);
    const price = usage === undefined ? { costNanoUsd: null, savedNanoUsd: 0n } : this.#pricing.price(usage, where);
    call.context.set(costKey, account.foreseen(served, price));
  }

  #close(open: Open, facts: CallFacts): void {
    const { call, account, began } = open;
    if (!this.#open.delete(call.id)) return;
    this.#spare(open, facts);
    const served = facts.status === 'completed' && facts.cached === undefined ? facts.target : undefined;
    for (const row of account.close(served)) this.#write(row);
    const { cost } = account;
    call.context.set(costKey, cost);
    const books = { attemptIds: account.attemptIds, savedNanoUsd: cost.savedNanoUsd };
    this.#write(callRow(call, facts, began, books, open.firstContentMs));
  }

  #spare(open: Open, { cached, usage, target, tier }: CallFacts): void {
    if (cached === undefined || target === undefined || open.spared) return;
    open.spared = true;
    const { call, account } = open;
    const where = whereOf({ ...call, target: { ...target, id: '' } }, call.context.clock.now(), tier);
    account.spared(usage === undefined ? null : this.#pricing.price(usage, where).costNanoUsd);
  }

  /** Once per target and reason: an unknown price is on every row, and said aloud once. */
  #warn(call: Call, unpriced: string, detail: string | undefined): void {
    const target = call.target?.id ?? call.request.model;
    let reasons = this.#warned.get(target);
    if (reasons?.has(unpriced) === true) return;
    if (reasons === undefined) {
      if (this.#warned.size >= WARNED_TARGETS_MAX) return;
      this.#warned.set(target, (reasons = new Set()));
    }
    reasons.add(unpriced);
    const what = detail === undefined ? unpriced : `${unpriced}: ${detail}`;
    call.context.emit('warning', {
      callId: call.id,
      warning: {
        code: 'other',
        feature: 'price',
        message: `What ${target} costs is not known (${what}); its rows have no cost. Give meter a price table with it.`,
      },
    });
  }

  #compare(call: Call, attemptId: string, costNanoUsd: bigint, reportedNanoUsd: bigint): void {
    const difference = costNanoUsd > reportedNanoUsd ? costNanoUsd - reportedNanoUsd : reportedNanoUsd - costNanoUsd;
    if (difference * MISMATCH <= reportedNanoUsd || call.target === undefined) return;
    const { provider, model } = call.target;
    const facts = { callId: call.id, attemptId, target: { provider, model }, costNanoUsd, reportedNanoUsd };
    call.context.emit('cost-mismatch', facts);
  }

  #track(call: Call, usage: Usage): void {
    const target = call.target?.id ?? call.request.model;
    if (call.operation === 'raw' || !this.#estimates.due(target)) return;
    const model = call.target?.model ?? call.request.model;
    this.#estimates.add(
      target,
      traitsOf(call.operation).estimate(call.request as never, undefined, model).input,
      usage.input,
    );
  }
}
