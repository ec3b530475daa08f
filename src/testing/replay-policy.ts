import type { AttemptRow } from '../core/ledger.ts';
import { type ErrorCode, GatewayError, invalidOptions } from '../core/errors.ts';
import { type Clock, sleep } from '../core/clock.ts';
import type { Middleware } from '../core/middleware.ts';
import { aFunction, aList, anObject, checkOptions, wholeNumber } from '../core/options.ts';
import { defineProvider, type Provider } from '../core/provider.ts';
import type { ModelsConfiguration } from '../core/registry.ts';
import { replyWith } from '../core/reply.ts';
import type { Scope } from '../core/call.ts';
import { createGateway } from '../gateway.ts';
import type { ChatResponse } from '../operations/chat.ts';
import { usageOf } from '../operations/usage.ts';
import { fakeClock } from './fake-clock.ts';
import { seededRandom } from './script/random.ts';

/** What one target did with one attempt, at some time. Rows of a ledger are such outcomes. */
export type PolicyOutcome = Pick<
  AttemptRow,
  'at' | 'provider' | 'model' | 'status' | 'latencyMs' | 'input' | 'output'
> &
  Partial<Pick<AttemptRow, 'errorCode' | 'costNanoUsd' | 'scope' | 'number'>>;

export interface ReplayPolicyOptions {
  /** What happened. Each first attempt (`number` 1 or absent) is a call that is made again. */
  readonly log: readonly PolicyOutcome[];
  /** Configurations to compare, by name. */
  readonly policies: Readonly<Record<string, ModelsConfiguration>>;
  /** The name the calls are made for. @defaultValue 'default' */
  readonly model?: string;
  /** New middleware for each policy. @defaultValue the standard ones */
  readonly use?: () => readonly Middleware[];
  /** Seed of every choice by chance. @defaultValue 1 */
  readonly seed?: number;
}

/** How one policy would have done. */
export interface PolicyNumbers {
  readonly policy: string;
  readonly calls: number;
  readonly attempts: number;
  /** Share of the calls that were answered. */
  readonly availability: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** US dollars of all attempts, as far as the log knows. */
  readonly usd: number;
  /** Attempts by target. */
  readonly targets: Readonly<Record<string, number>>;
  /** Attempts at targets of which the log knows nothing: they fail, and the numbers are not to be trusted. */
  readonly unknown: number;
}

/** Outcomes that are nearest in time, of which one is drawn. */
const NEAREST = 15;

/**
 * Makes the calls of a log again under other configurations, on a fake clock: a target does what it did around that
 * time, drawn among its nearest outcomes. Hours take seconds and no provider is asked.
 *
 * @example
 * const [now, next] = await replayPolicy({ log, policies: { now: models, next: changed } });
 */
export async function replayPolicy(options: ReplayPolicyOptions): Promise<readonly PolicyNumbers[]> {
  checkOptions('replayPolicy', options, {
    log: aList,
    policies: anObject,
    model: (value) => (typeof value === 'string' ? undefined : 'expected a name'),
    use: aFunction,
    seed: wholeNumber(0),
  });
  if (options.log.length === 0) throw invalidOptions('replayPolicy.log', 'expected at least one outcome.');
  const log = options.log.toSorted((one, other) => one.at - other.at);
  const numbers: PolicyNumbers[] = [];
  for (const [name, models] of Object.entries(options.policies)) numbers.push(await play(name, models, log, options));
  return numbers;
}

interface Tally {
  attempts: number;
  usd: number;
  unknown: number;
  readonly targets: Record<string, number>;
}

async function play(
  policy: string,
  models: ModelsConfiguration,
  log: readonly PolicyOutcome[],
  { model = 'default', use, seed = 1 }: ReplayPolicyOptions,
): Promise<PolicyNumbers> {
  const clock = fakeClock(log[0]?.at);
  const random = seededRandom(seed);
  const tally: Tally = { attempts: 0, usd: 0, unknown: 0, targets: {} };
  const names = new Set(log.map(({ provider }) => provider));
  const gateway = createGateway({
    providers: [...names].map((name) => recalled(name, log, clock, random, tally)),
    models,
    clock,
    random,
    ...(use !== undefined && { use: use() }),
  });
  const tookMs: number[] = [];
  const calls: Promise<void>[] = [];
  for (const outcome of log) {
    if ((outcome.number ?? 1) !== 1) continue;
    if (outcome.at > clock.now()) await clock.advance(outcome.at - clock.now());
    const call = ask(outcome.scope);
    // Seen below; until then nobody waits for it.
    call.catch(() => undefined);
    calls.push(call);
  }
  await clock.settled(Promise.all(calls));
  await gateway.close();
  tookMs.sort((one, other) => one - other);
  const at = (share: number): number => tookMs[Math.max(0, Math.ceil(share * tookMs.length) - 1)] ?? 0;
  const answered = tookMs.length / calls.length;
  return {
    policy,
    calls: calls.length,
    availability: answered,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    ...tally,
  };

  async function ask(scope: Scope | undefined): Promise<void> {
    const began = clock.monotonic();
    try {
      await gateway.chat({ model, prompt: 'replayed', ...(scope !== undefined && { scope }) });
      tookMs.push(clock.monotonic() - began);
    } catch (error) {
      // A mistake in the policy is the asker's to see; a failed call is what is counted.
      if (error instanceof GatewayError && error.fault === 'caller') throw error;
    }
  }
}

/** A provider that does again what it did. */
function recalled(
  name: string,
  log: readonly PolicyOutcome[],
  clock: Clock,
  random: () => number,
  tally: Tally,
): Provider {
  const byModel = Map.groupBy(
    log.filter(({ provider }) => provider === name),
    ({ model }) => model,
  );
  return defineProvider({
    name,
    protocols: [],
    handlers: {
      async chat(call) {
        const model = call.target?.model ?? '';
        const target = `${name}/${model}`;
        tally.attempts++;
        tally.targets[target] = (tally.targets[target] ?? 0) + 1;
        const outcome = nearest(byModel.get(model) ?? [], clock.now(), random);
        if (outcome === undefined) {
          tally.unknown++;
          throw new GatewayError('not-found', `The log has no outcome of ${target}.`);
        }
        await sleep(clock, outcome.latencyMs, call.signal);
        tally.usd += Number(outcome.costNanoUsd ?? 0n) / 1e9;
        if (outcome.status === 'failed') {
          const code = (outcome.errorCode ?? 'unavailable') as ErrorCode;
          throw new GatewayError(code, `${target} failed so in the log.`, { source: 'provider' });
        }
        return replyWith(call, responseOf(outcome), { provider: name, model });
      },
    },
  });
}

/** One of those nearest in time; those that were cancelled say nothing about the target. */
function nearest(outcomes: readonly PolicyOutcome[], now: number, random: () => number): PolicyOutcome | undefined {
  const telling = outcomes.filter(({ status }) => status !== 'cancelled');
  let end = telling.findIndex(({ at }) => at > now);
  if (end === -1) end = telling.length;
  let [low, high] = [end, end];
  while (high - low < Math.min(NEAREST, telling.length)) {
    const before = low > 0 ? now - (telling[low - 1] as PolicyOutcome).at : Number.POSITIVE_INFINITY;
    const after = high < telling.length ? (telling[high] as PolicyOutcome).at - now : Number.POSITIVE_INFINITY;
    if (before <= after) low--;
    else high++;
  }
  return telling[low + Math.floor(random() * (high - low))];
}

function responseOf({ model, input, output, at }: PolicyOutcome): ChatResponse {
  return {
    id: `replayed-${at}`,
    model,
    createdAt: new Date(at).toISOString(),
    message: { role: 'assistant', content: [{ type: 'text', text: 'replayed' }] },
    finish: { reason: 'stop' },
    usage: usageOf([{ model, role: 'main', tokens: { input, output } }], { quality: 'reported' }),
    warnings: [],
  };
}
