import { createContext } from '../../../src/core/context.ts';
import type { Call, Candidate, Scope } from '../../../src/core/call.ts';
import type { Emit } from '../../../src/core/events.ts';
import { createHealth } from '../../../src/core/health.ts';
import type { AttemptOutcome } from '../../../src/core/middleware.ts';
import { defineProvider } from '../../../src/core/provider.ts';
import { compileRegistry, type ModelsConfiguration } from '../../../src/core/registry.ts';
import { createRouting, type Routing } from '../../../src/core/routing/state.ts';
import type { ChatRequest } from '../../../src/operations/chat.ts';
import { usageOf } from '../../../src/operations/usage.ts';
import { seededRandom } from '../../../src/testing/script/random.ts';
import { ManualClock } from '../../manual-clock.ts';

export const seeded = seededRandom;

const provider = (name: string) =>
  defineProvider({
    name,
    protocols: [],
    handlers: {
      chat: async () => {
        throw new Error('unused');
      },
    },
  });
/** Any provider a test names. */
export const providers = new Map(['p', 'q', 'r'].map((name) => [name, provider(name)] as const));

export interface Bench {
  readonly routing: Routing;
  readonly clock: ManualClock;
  readonly health: ReturnType<typeof createHealth>;
  readonly events: { readonly name: string; readonly event: unknown }[];
  readonly random: () => number;
  call(about?: CallFacts): Call;
  /** Swaps the configuration; what routing remembers stays. */
  configure(models: ModelsConfiguration): void;
  /** The order a call would be routed in, by id. */
  order(about?: CallFacts): string[];
  /** An attempt at a target, from its beginning to its end. */
  attempt(id: string, outcome: Partial<AttemptOutcome>, about?: CallFacts): void;
}
export interface CallFacts {
  readonly scope?: Scope;
  readonly request?: Partial<ChatRequest>;
  readonly stream?: boolean;
  readonly purpose?: string;
  readonly model?: string;
}

/** Routing over a configuration, without a gateway. */
export function bench(models: ModelsConfiguration, seed = 1): Bench {
  const clock = new ManualClock();
  const events: { name: string; event: unknown }[] = [];
  const emit: Emit = (name, event) => void events.push({ name, event });
  const health = createHealth(clock, emit);
  const random = seeded(seed);
  const routing = createRouting({ clock, random, health, emit });
  let registry = compileRegistry(models, providers, 1);
  const signal = new AbortController().signal;
  const call = ({ scope = {}, request = {}, stream = false, purpose, model = 'x' }: CallFacts = {}): Call => ({
    id: 'call',
    operation: 'chat',
    request: { model, messages: [], ...request },
    stream,
    plan: registry.resolve(model, 'chat'),
    scope,
    signal,
    priority: 'normal',
    ...(purpose !== undefined && { purpose }),
    context: createContext({
      callId: 'call',
      clock,
      random,
      attemptsMax: 3,
      emit,
      faces: [],
      waitUntil: () => undefined,
      resolve: registry.resolve,
    }),
  });
  const order = (about?: CallFacts): string[] => routing.order(call(about)).map(({ id }) => id);
  return {
    routing,
    clock,
    health,
    events,
    random,
    call,
    configure(next) {
      registry = compileRegistry(next, providers, registry.revision + 1);
    },
    order,
    attempt(id, outcome, about) {
      const one = call(about);
      const target = one.plan.candidates.find((candidate) => candidate.id === id) as Candidate;
      const observer = routing.observe({ ...one, target });
      const whole: AttemptOutcome = {
        status: 'completed',
        durationMs: 100,
        committed: true,
        billing: 'yes',
        ...outcome,
      };
      if (whole.status === 'completed')
        observer?.commit?.({ firstContentMs: whole.firstContentMs ?? whole.durationMs });
      observer?.end(whole);
    },
  };
}

export const tokens = (input: number, output: number): Pick<AttemptOutcome, 'usage'> => ({
  usage: usageOf([{ model: 'm', role: 'main', tokens: { input, output } }], { quality: 'reported' }),
});

/** The p-value of a chi-square statistic, by the Wilson-Hilferty approximation. */
export function chiSquareP(observed: readonly number[], expected: readonly number[]): number {
  const statistic = observed.reduce((sum, count, index) => {
    const wanted = expected[index] as number;
    return sum + (count - wanted) ** 2 / wanted;
  }, 0);
  const freedom = observed.length - 1;
  const z = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
  return 0.5 * erfc(z / Math.SQRT2);
}

function erfc(x: number): number {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const terms = [
    1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
  ];
  const sum = terms.reduceRight((rest, term) => term + t * rest, 0);
  const value = t * Math.exp(-x * x - 1.26551223 + t * sum);
  return x >= 0 ? value : 2 - value;
}
