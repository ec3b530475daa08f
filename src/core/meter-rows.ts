import type { Usage } from '../operations/shared.ts';
import { unknownUsage } from '../operations/usage.ts';
import type { CallFacts } from './call-facts.ts';
import type { Call } from './call.ts';
import type { AttemptRow, CallRow, LedgerRow } from './ledger.ts';
import type { AttemptOutcome } from './middleware.ts';
import { redactionsKey } from './redactions.ts';

/** What an attempt cost and what the provider's prompt cache spared. */
export interface AttemptPrice {
  /** `null`: unknown, and `unpriced` says why. */
  readonly costNanoUsd: bigint | null;
  readonly unpriced?: string;
  /** The model, class, unit or tier without a price. */
  readonly detail?: string;
  readonly savedNanoUsd: bigint;
}
/** When an attempt or a call began: wall time and monotonic time, both in milliseconds. */
export interface Beginning {
  readonly at: number;
  readonly monotonic: number;
}

const FREE: AttemptPrice = { costNanoUsd: 0n, savedNanoUsd: 0n };

/** What an attempt without a bill costs: it never reached the provider, or the provider charges nothing for it. */
export function freePrice(): AttemptPrice {
  return FREE;
}

/** The row of an attempt that has ended. `id` differs from the attempt's where a face refused it. */
export function attemptRow(
  call: Call,
  outcome: AttemptOutcome,
  began: Beginning,
  price: AttemptPrice,
  id: string,
): AttemptRow {
  const { provider, model, region, credential } = call.target ?? { provider: '', model: call.request.model };
  const usage: Usage = outcome.usage ?? NO_USAGE;
  const { error } = outcome;
  return {
    kind: 'attempt',
    id,
    callId: call.id,
    number: call.attempt?.number ?? 1,
    at: began.at,
    scope: call.scope,
    operation: call.operation,
    provider,
    model,
    status: outcome.status === 'refused' ? 'failed' : outcome.status,
    latencyMs: outcome.durationMs,
    stream: call.stream,
    input: usage.input,
    output: usage.output,
    tokens: usage.tokens,
    quality: usage.quality,
    costNanoUsd: price.costNanoUsd,
    billing: outcome.billing,
    winner: false,
    ...subcallFacts(call),
    ...(region !== undefined && { region }),
    ...(credential !== undefined && { credential }),
    ...(outcome.model !== undefined && { servedModel: outcome.model }),
    ...(usage.units !== undefined && { units: usage.units }),
    ...(price.unpriced !== undefined && { unpriced: price.unpriced }),
    ...(isAmount(usage.reportedCostUsd) && { reportedNanoUsd: BigInt(Math.round(usage.reportedCostUsd * 1e9)) }),
    ...(outcome.firstContentMs !== undefined && { firstContentMs: outcome.firstContentMs }),
    ...(outcome.finish !== undefined && { finish: outcome.finish }),
    ...(error !== undefined && { errorCode: error.code }),
    ...(error?.status !== undefined && { httpStatus: error.status }),
  };
}

/** The row of a call that has ended. It refers to its attempts. */
export function callRow(
  call: Call,
  facts: CallFacts,
  began: Beginning,
  books: { readonly attemptIds: readonly string[]; readonly savedNanoUsd: bigint | null },
  firstContentMs: number | undefined,
): CallRow {
  const { context } = call;
  return {
    kind: 'call',
    id: call.id,
    at: began.at,
    scope: call.scope,
    operation: call.operation,
    model: call.request.model,
    status: facts.status,
    latencyMs: context.clock.monotonic() - began.monotonic,
    stream: call.stream,
    attemptIds: books.attemptIds,
    redactions: redactionsOf(call),
    ...subcallFacts(call),
    ...(firstContentMs !== undefined && { firstContentMs }),
    ...(facts.error !== undefined && { errorCode: facts.error.code }),
    ...(facts.cached !== undefined && { cached: facts.cached.kind }),
    ...(books.savedNanoUsd !== 0n && { savedNanoUsd: books.savedNanoUsd }),
  };
}

/** How many values were masked, whatever they were. */
function redactionsOf({ context }: Call): number {
  let count = 0;
  const counts = context.get(redactionsKey);
  for (const entity in counts) count += counts[entity] ?? 0;
  return count;
}

function isAmount(usd: number | undefined): usd is number {
  return usd !== undefined && Number.isFinite(usd) && usd >= 0;
}

function subcallFacts(call: Call): Pick<LedgerRow, 'parentId' | 'purpose'> {
  return {
    ...(call.parentId !== undefined && { parentId: call.parentId }),
    ...(call.purpose !== undefined && { purpose: call.purpose }),
  };
}

const NO_USAGE: Usage = { ...unknownUsage(''), quality: 'unknown' };
