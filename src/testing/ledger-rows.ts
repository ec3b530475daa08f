import type { AttemptRow, CallRow, LedgerRow } from '../core/ledger.ts';
import { seededRandom } from './script/random.ts';

export interface SampleOptions {
  /** Calls to make; about one in six has a second attempt. */
  readonly calls: number;
  readonly seed?: number;
  /** First and last time of a call, milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly tenants?: number;
  readonly users?: number;
}

const MODELS = [
  ['openai', 'gpt-5-mini'],
  ['openai', 'gpt-5'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['google', 'gemini-2.5-flash'],
] as const;

/** Ledger rows such as a busy gateway writes: retries, failures, cache hits, unknown prices. Repeatable. */
export function* sampleRows(options: SampleOptions): Generator<LedgerRow> {
  const { calls, seed = 1, from, to, tenants = 5, users = 20 } = options;
  const random = seededRandom(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  for (let index = 0; index < calls; index++) {
    // A user belongs to one tenant and one team; some have no tenant.
    const user = pick(users);
    const tenant = user % (tenants + 1);
    const scope = {
      ...(tenant < tenants && { tenant: `tenant-${tenant}` }),
      user: `user-${user}`,
      ...(pick(3) === 0 && { session: `session-${pick(users * 10)}` }),
      tags: { team: `team-${(user >> 2) % 4}` },
    };
    const at = from + Math.floor((index / calls) * (to - from));
    const shared = { at, scope, operation: 'chat', stream: pick(2) === 0 } as const;
    const id = `call-${seed}-${index}`;
    if (pick(10) === 0) {
      yield cachedCall(id, shared, pick(3) === 0 ? null : BigInt(pick(1_000_000)), pick(3));
      continue;
    }
    const [provider, model] = MODELS[pick(MODELS.length)] ?? MODELS[0];
    const failed = pick(6) === 0;
    const attempts = failed ? 2 : 1;
    for (let number = 1; number <= attempts; number++) {
      yield attempt(`${id}-${number}`, id, number, shared, provider, model, number === attempts, random);
    }
    const attemptIds = Array.from({ length: attempts }, (_, at) => `${id}-${at + 1}`);
    const latencyMs = 100 + pick(5000);
    yield {
      kind: 'call',
      id,
      ...shared,
      model: `${provider}/${model}`,
      status: 'completed',
      latencyMs,
      attemptIds,
      redactions: pick(3),
    };
  }
}

type Shared = Pick<LedgerRow, 'at' | 'scope' | 'operation' | 'stream'>;

function cachedCall(id: string, shared: Shared, savedNanoUsd: bigint | null, redactions: number): CallRow {
  return {
    kind: 'call',
    id,
    ...shared,
    model: 'fast',
    status: 'completed',
    latencyMs: 1,
    attemptIds: [],
    cached: 'exact',
    savedNanoUsd,
    redactions,
  };
}

function attempt(
  id: string,
  callId: string,
  number: number,
  shared: Shared,
  provider: string,
  model: string,
  winner: boolean,
  random: () => number,
): AttemptRow {
  const count = (maximum: number): number => Math.floor(random() * maximum);
  const tokens = {
    input: count(2000),
    cacheRead: count(5000),
    cacheWrite5m: count(500),
    output: count(800),
    reasoning: count(900),
  };
  const unpriced = count(12) === 0;
  return {
    kind: 'attempt',
    id,
    callId,
    number,
    ...shared,
    provider,
    model,
    status: winner ? 'completed' : count(4) === 0 ? 'cancelled' : 'failed',
    ...(!winner && { errorCode: count(2) === 0 ? 'overloaded' : 'timeout' }),
    latencyMs: 50 + count(20_000),
    ...(winner && { firstContentMs: 20 + count(2000), finish: 'stop' }),
    input: tokens.input + tokens.cacheRead + tokens.cacheWrite5m,
    output: tokens.output + tokens.reasoning,
    tokens,
    quality: winner ? 'reported' : 'estimated',
    costNanoUsd: unpriced ? null : BigInt(count(90_000_000)),
    ...(unpriced && { unpriced: 'unknown-model' }),
    billing: winner ? 'yes' : count(2) === 0 ? 'possible' : 'no',
    winner,
  };
}
