import { type Clock, defineProvider, EventStream, GatewayError, type Provider, sleep } from '../src/index.ts';
import { replayChat } from '../src/operations/chat-replay.ts';
import type { ChatEvent, ChatResponse } from '../src/index.ts';
import { usageOf } from '../src/operations/usage.ts';

/** What goes wrong with a target for a while. */
export interface Trouble {
  /** Share of requests that fail. */
  readonly down?: number;
  /** Factor on the time to first content. */
  readonly slower?: number;
  /** More are answered with 429. */
  readonly callsPerSecond?: number;
}
export type Weather = Readonly<Record<string, Trouble>>;

export type Answer =
  | { readonly ok: true }
  | { readonly ok: false; readonly status: number; readonly retryAfterMs?: number };

export interface Fleet {
  readonly names: readonly string[];
  readonly providers: readonly Provider[];
  /** One request without any gateway, until its first content. */
  ask(target: string): Promise<Answer>;
  hits(): number;
  /** In prices of a whole answer. An attempt that was aborted costs half, a failure nothing. */
  cost(): number;
}

export interface FleetOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly weather: Weather;
  /** When the trouble begins and ends, in milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Median and spread of time to first content; 95 % are within about 2.3 times the median. */
const MEDIAN_MS = 400;
const SIGMA = 0.5;
const FAILS_AFTER_MS = 50;
const RETRY_AFTER_MS = 1_000;
const ANSWER: ChatResponse = {
  id: 'answer',
  model: 'model',
  message: { role: 'assistant', content: [{ type: 'text', text: 'Hello there.' }] },
  finish: { reason: 'stop' },
  usage: usageOf([{ model: 'model', role: 'main', tokens: { input: 100, output: 100 } }]),
  warnings: [],
} as unknown as ChatResponse;

/** Three targets with realistic times to first content, in some weather. */
export function simulatedFleet({ clock, random, weather, fromMs, toMs }: FleetOptions): Fleet {
  const names = ['a', 'b', 'c'];
  const taken = new Map<string, { second: number; count: number }>();
  let hits = 0;
  let cost = 0;
  const begin = async (name: string, signal?: AbortSignal): Promise<Answer> => {
    hits++;
    const now = clock.monotonic();
    const { down = 0, slower = 1, callsPerSecond } = now >= fromMs && now < toMs ? (weather[name] ?? {}) : {};
    if (callsPerSecond !== undefined) {
      const second = Math.floor(now / 1_000);
      const window = taken.get(name);
      const count = window?.second === second ? window.count + 1 : 1;
      taken.set(name, { second, count });
      if (count > callsPerSecond) {
        await sleep(clock, FAILS_AFTER_MS, signal);
        return { ok: false, status: 429, retryAfterMs: RETRY_AFTER_MS };
      }
    }
    if (random() < down) {
      await sleep(clock, FAILS_AFTER_MS, signal);
      return { ok: false, status: 500 };
    }
    try {
      await sleep(clock, MEDIAN_MS * Math.exp(SIGMA * normal(random)) * slower, signal);
    } catch (reason) {
      cost += 0.5;
      throw reason;
    }
    cost += 1;
    return { ok: true };
  };
  const providerOf = (name: string): Provider =>
    defineProvider({
      name,
      protocols: [],
      handlers: {
        async chat(call) {
          const answer = await begin(name, call.signal);
          if (!answer.ok) throw failureOf(name, answer);
          const events = new EventStream<ChatEvent>(
            { read: async (emit) => (emitAll(emit), false), cancel: () => undefined },
            { clock, signal: call.signal },
          );
          return { operation: 'chat', stream: true, target: { provider: name, model: 'model' }, attempts: [], events };
        },
      },
    });
  return {
    names,
    providers: names.map(providerOf),
    ask: (name) => begin(name),
    hits: () => hits,
    cost: () => cost,
  };
}

function emitAll(emit: (event: ChatEvent) => void): void {
  for (const event of replayChat(ANSWER)) emit(event);
}

function failureOf(provider: string, { status, retryAfterMs }: Extract<Answer, { ok: false }>): GatewayError {
  return new GatewayError(status === 429 ? 'rate-limited' : 'unavailable', `${provider} answered ${status}.`, {
    source: 'provider',
    status,
    target: { provider, model: 'model' },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A number of the standard normal distribution (Box-Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
