import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Call, isGatewayError, GatewayError } from '../../../src/index.ts';
import type { AttemptObserver, AttemptOutcome, Host } from '../../../src/core/middleware.ts';
import { STRATEGIES } from '../../../src/core/routing/strategies/index.ts';
import { route } from '../../../src/middleware/route.ts';
import { chatTraits } from '../../../src/operations/chat-traits.ts';
import { size } from '../../size.ts';
import { canaryModel } from './canary-model.ts';
import { History, type Tried } from './history.ts';
import { type Asked, type Member, STRATEGY_MODELS, type StrategyModel, type Tally } from './strategy-models.ts';
import { type Bench, bench, tokens } from './support.ts';

const AVOID_MS = 60_000;
const MODELS: Readonly<Record<string, () => StrategyModel>> = { ...STRATEGY_MODELS, canary: canaryModel };
const members = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom('p/0', 'p/1', 'p/2', 'p/3', 'p/4'),
    weight: fc.integer({ min: 1, max: 3 }),
    price: fc.constantFrom(1, 2, 5),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 5 },
);
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('call' as const),
      stream: fc.boolean(),
      session: fc.option(fc.constantFrom('s1', 's2', 's3'), { nil: undefined }),
      purpose: fc.constantFrom('summary', 'code', 'chat', 'unknown'),
      words: fc.constantFrom(1, 50, 2_000),
      /** Which of those in the order is tried. */
      place: fc.nat(2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('first' as const), which: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      which: fc.nat(20),
      how: fc.constantFrom('completed', 'completed', 'failed', 'timeout', 'cancelled', 'refused'),
      output: fc.integer({ min: 0, max: 300 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('bench' as const),
      id: fc.constantFrom('p/0', 'p/1', 'p/2', 'q/stable'),
      ms: fc.integer({ min: 1, max: 30_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('swap' as const), members }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

interface Flying {
  readonly tried: Tried;
  readonly inputTokens: number;
  readonly observers: readonly AttemptObserver[];
  readonly leave: () => void;
}

/** The real thing and its history side by side. */
class Run {
  readonly #model: StrategyModel;
  readonly #tally: Tally;
  readonly #history = new History();
  readonly #bench: Bench;
  readonly #flying: Flying[] = [];
  readonly #route = route({ avoidMs: AVOID_MS });
  #members: readonly Member[];
  #order: readonly string[] = [];

  constructor(model: StrategyModel, first: readonly Member[], tally: Tally, seed: number) {
    this.#model = model;
    this.#tally = tally;
    this.#members = first;
    const one = (this.#bench = bench({ x: model.configure(first) }, seed));
    const routing = {
      ...one.routing,
      order: (call: Call) => {
        const order = one.routing.order(call);
        this.#order = order.map(({ id }) => id);
        return order;
      },
    };
    this.#route.info?.start?.({ routing, clock: one.clock, health: one.health } as unknown as Host);
  }

  async play(step: Command): Promise<void> {
    const { clock, health } = this.#bench;
    if (step.type === 'wait') {
      clock.advance(step.ms);
      this.#history.now += step.ms;
    } else if (step.type === 'swap') {
      this.#members = step.members;
      this.#bench.configure({ x: this.#model.configure(step.members) });
    } else if (step.type === 'bench') {
      health.bench(step.id, step.ms, 'told to');
      this.#history.benches.push({ id: step.id, until: this.#history.now + step.ms });
    } else if (step.type === 'call') await this.#call(step);
    else if (step.type === 'first') this.#first(this.#flying[step.which % Math.max(1, this.#flying.length)]);
    else this.#end(step);
    for (const { id } of this.#members) expect(health.load(id)).toBe(this.#history.load(id));
  }

  async #call({ stream, session, purpose, words, place }: Command & { type: 'call' }): Promise<void> {
    const content = [{ type: 'text' as const, text: 'river '.repeat(words) }];
    const request = { messages: [{ role: 'user' as const, content }] };
    const call = this.#bench.call({ stream, purpose, request, scope: session === undefined ? {} : { session } });
    const inputTokens = chatTraits.estimate(call.request as never, undefined, '').input;
    const asked: Asked = { stream, session, purpose, inputTokens };
    const walked: Call[] = [];
    // Nobody answers, so that the walk shows its whole way.
    const failure = await this.#route(call, async (one) => {
      walked.push(one as Call);
      throw new GatewayError('unavailable', 'down');
    }).catch((error: unknown) => error);
    expect(isGatewayError(failure)).toBe(true);
    this.#model.check(this.#order, asked, this.#members, this.#history, this.#tally);
    const failing = this.#order.filter((id) => this.#history.failing(id, AVOID_MS / 2));
    const expected = [...this.#order.filter((id) => !failing.includes(id)), ...failing];
    expect(walked.map(({ target }) => target?.id)).toEqual(expected.filter((id) => !this.#history.benched(id)));
    const chosen = walked[place % Math.max(1, walked.length)];
    if (chosen?.target === undefined) return;
    const { routing, health } = this.#bench;
    const observers = [routing.observe(chosen), await this.#route.info?.attempt?.(chosen)].filter(
      (one): one is AttemptObserver => one !== undefined,
    );
    const tried = this.#history.begin(chosen.target.id, stream, session, this.#members[0]?.id);
    this.#flying.push({ tried, inputTokens, observers, leave: health.enter(chosen.target.id) });
  }

  #first(flying: Flying | undefined): void {
    if (flying === undefined || flying.tried.firstMs !== undefined) return;
    this.#history.first(flying.tried);
    for (const { commit } of flying.observers) commit?.({ firstContentMs: this.#history.now - flying.tried.beganAt });
  }

  #end({ which, how, output }: Command & { type: 'end' }): void {
    const [flying] = this.#flying.splice(which % Math.max(1, this.#flying.length), 1);
    if (flying === undefined) return;
    if (how === 'completed') this.#first(flying);
    const { beganAt, firstMs } = flying.tried;
    const code = how === 'timeout' ? 'timeout' : 'unavailable';
    const outcome: AttemptOutcome = {
      status: how === 'timeout' ? 'failed' : (how as AttemptOutcome['status']),
      durationMs: this.#history.now - beganAt,
      committed: firstMs !== undefined,
      billing: 'yes',
      ...(firstMs !== undefined && { firstContentMs: firstMs }),
      ...(how !== 'refused' && tokens(flying.inputTokens, output)),
      ...((how === 'failed' || how === 'timeout') && { error: { code, fault: 'target' } as never }),
    };
    this.#history.end(flying.tried, outcome);
    for (const observer of flying.observers) observer.end(outcome);
    flying.leave();
  }
}

describe('each strategy is its slow reference under random commands', () => {
  it('for every strategy a configuration can name', () => {
    expect(Object.keys(MODELS).toSorted()).toEqual([...STRATEGIES.keys()].toSorted());
  });

  for (const [name, create] of Object.entries(MODELS)) {
    it(`${name}: calls, ends, failures, benches, load, time and swaps (CFG-03, RET-17, RET-18)`, async () => {
      const tally: Tally = { expected: 0, variance: 0, seen: 0 };
      let seed = 0;
      await fc.assert(
        fc.asyncProperty(members, fc.array(command, { maxLength: 100, size: 'max' }), async (first, commands) => {
          const run = new Run(create(), first, tally, ++seed);
          for (const step of commands) await run.play(step);
        }),
        { seed: 17, numRuns: size(30, 1_000), endOnFailure: true },
      );
      // What is left to chance happens as often as it should, within four standard deviations.
      expect(Math.abs(tally.seen - tally.expected)).toBeLessThanOrEqual(4 * Math.sqrt(tally.variance));
    });
  }
});
