import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Circuit, type CircuitOutcome, type Ticket } from '../../src/core/circuit.ts';
import { createGateway, defineMiddleware, GatewayError, type Middleware } from '../../src/index.ts';
import {
  circuitBreaker,
  type CircuitBreakerOptions,
  fallback,
  retry,
  route,
  timeout,
} from '../../src/middleware/index.ts';
import { standard } from '../../src/standard.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';
import { failureOf, setUp, type Setup, warmUp } from './support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };
const quick: CircuitBreakerOptions = { callsMin: 4 };

/** Fails calls until the circuit of `a/one` opens. */
async function open({ clock, a, gateway }: Setup, calls = 4): Promise<void> {
  a.otherwise.fail(500);
  for (let made = 0; made < calls; made++) await clock.settled(failureOf(gateway.chat(single)));
}

describe('circuitBreaker', () => {
  it('tells what is left alone now, by whomever it was found out: circuits, rate limits and keys', async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    const [breaker, other] = [circuitBreaker({ callsMin: 1, store }), circuitBreaker({ store })];
    const mock = mockProvider({ credentials: ['k1', 'k2'] });
    mock.on({ model: 'down' }).fail(500);
    mock.on({ credential: 'k1' }).fail(401);
    mock.on({ credential: 'k2' }).fail(429, { retryAfter: 30 });
    const gatewayOf = (use: Middleware[]) =>
      createGateway({ providers: [mock], models: { default: 'mock/a' }, use, clock, random: () => 0 });
    const [gateway, second] = [gatewayOf([route(), breaker]), gatewayOf([route(), other])];
    await clock.settled(failureOf(gateway.chat({ model: 'mock/down', prompt: 'x' })));
    await clock.settled(failureOf(gateway.chat('x')));
    expect([...breaker.benches()]).toEqual([
      ['mock/down', { reason: 'circuit-open', waitMs: 5_000 }],
      ['mock#k1', { reason: 'credential: authentication', waitMs: 60_000 }],
      ['mock/a#k2', { reason: 'rate-limited', waitMs: 30_000 }],
    ]);
    const made = mock.calls.length;
    await clock.settled(failureOf(second.chat({ model: 'mock/down', prompt: 'x' })));
    expect(mock.calls).toHaveLength(made);
    expect(other.benches().get('mock/down')).toEqual({ reason: 'circuit-open', waitMs: 5_000 });
    expect(`${gateway.explain({ model: 'mock/down', prompt: 'x' })}`).toContain('2 of 2 targets are left alone');
    await clock.advance(5_000);
    expect(breaker.benches().has('mock/down')).toBe(false);
    expect(breaker.states().get('mock/down')).toEqual({ state: 'open', waitMs: 0 });
    expect(`${gateway.explain({ model: 'mock/down', prompt: 'x' })}`).toContain('the next call is a probe');
  });

  it('RET-08: while it is open nothing is sent, and the refusal says when to come back', async () => {
    const breaker = circuitBreaker(quick);
    const setup = setUp([route(), breaker]);
    await open(setup);
    expect(breaker.states().get('a/one')).toMatchObject({ state: 'open', waitMs: 5_500 });
    const error = await failureOf(setup.gateway.chat(single));
    expect(error).toMatchObject({ code: 'circuit-open', retryAfterMs: 5_500, retryable: false });
    expect(setup.a.calls).toHaveLength(4);
    setup.b.reply('b');
    const began = setup.clock.monotonic();
    expect((await setup.gateway.chat('x')).target.provider).toBe('b');
    expect(setup.clock.monotonic()).toBe(began);
    expect(setup.a.calls).toHaveLength(4);
  });

  it('needs enough calls and enough failures', async () => {
    const breaker = circuitBreaker();
    const { clock, a, gateway } = setUp([route(), breaker]);
    a.on('good').reply('x');
    a.on('bad').fail(500);
    for (let made = 0; made < 19; made++)
      await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'bad' })));
    expect(breaker.states().get('a/one')?.state).toBe('closed');
    await clock.advance(40_000);
    for (let made = 0; made < 30; made++) {
      await gateway.chat({ model: 'single', prompt: 'good' });
      if (made % 2 === 0) await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'bad' })));
    }
    expect(breaker.states().get('a/one')?.state).toBe('closed');
  });

  it('opens at a smaller share of overloads, and stays open longer', async () => {
    const breaker = circuitBreaker({ callsMin: 10 });
    const { clock, a, gateway } = setUp([route(), breaker]);
    a.on('good').reply('x');
    a.on('busy').fail(529);
    for (let made = 0; made < 7; made++) await gateway.chat({ model: 'single', prompt: 'good' });
    for (let made = 0; made < 3; made++)
      await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'busy' })));
    expect(breaker.states().get('a/one')).toMatchObject({ state: 'open', waitMs: 11_000 });
  });

  it('RET-09: failures in the middle of streams open it; aborts of the caller never do', async () => {
    const breaker = circuitBreaker({ callsMin: 5 });
    const { clock, a, gateway } = setUp([route(), breaker]);
    a.on('hang').fail('hang');
    a.on('cut').reply(['one ', 'two']).cut();
    for (let made = 0; made < 100; made++) {
      const controller = new AbortController();
      const work = failureOf(gateway.chat({ model: 'single', prompt: 'hang' }, { signal: controller.signal }));
      await Promise.resolve();
      controller.abort();
      await work;
    }
    expect(breaker.states().get('a/one')?.state).toBe('closed');
    for (let made = 0; made < 5; made++) {
      await clock.settled(failureOf(gateway.stream({ model: 'single', prompt: 'cut' }).response));
    }
    expect(breaker.states().get('a/one')?.state).toBe('open');
  });

  it('the mistakes of callers are no failures', async () => {
    const breaker = circuitBreaker(quick);
    const { clock, a, gateway } = setUp([route(), breaker]);
    a.otherwise.fail(400);
    for (let made = 0; made < 30; made++) await clock.settled(failureOf(gateway.chat(single)));
    expect(breaker.states().get('a/one')?.state).toBe('closed');
  });

  it('RET-10, RET-12: of a thousand callers at the end of the cool-down one is sent, the others are told at once', async () => {
    const setup = setUp([route(), circuitBreaker(quick)]);
    await open(setup);
    await setup.clock.advance(5_500);
    setup.a.reset();
    setup.a.reply('back').delay(100);
    const results = Promise.allSettled(Array.from({ length: 1_000 }, () => setup.gateway.chat(single)));
    await setup.clock.advance(100);
    const settled = await results;
    expect(setup.a.calls).toHaveLength(1);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of settled) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'circuit-open' });
    }
    expect((await setup.clock.settled(setup.gateway.chat(single))).text).toBe('back');
  });

  it('RET-11: the place of a probe is free again after success, failure, abort, refusal and silence', async () => {
    const probes: Record<string, (setup: Setup) => Promise<void>> = {
      abort: async ({ clock, a, gateway }) => {
        a.otherwise.fail('hang');
        const controller = new AbortController();
        const work = failureOf(gateway.chat(single, { signal: controller.signal }));
        await clock.advance(1);
        controller.abort();
        await work;
      },
      mistake: async ({ clock, a, gateway }) => {
        a.otherwise.fail(400);
        await clock.settled(failureOf(gateway.chat(single)));
      },
      silence: async ({ clock, a, gateway }) => {
        a.otherwise.fail('hang');
        void gateway.chat(single).catch(() => undefined);
        await clock.advance(5_000);
      },
    };
    for (const [name, probe] of Object.entries(probes)) {
      const setup = setUp([route(), circuitBreaker(quick)]);
      await open(setup);
      await setup.clock.advance(5_500);
      setup.a.reset();
      await probe(setup);
      setup.a.reset();
      setup.a.reply('back');
      expect((await setup.clock.settled(setup.gateway.chat(single))).text, name).toBe('back');
    }
  });

  it('RET-11: a probe that another middleware refuses gives its place back', async () => {
    let refusing = false;
    const policy = defineMiddleware(
      {
        name: 'policy',
        attempt() {
          if (refusing) throw new GatewayError('permission', 'Not now.');
        },
      },
      (call, next) => next(call),
    );
    const setup = setUp([route(), circuitBreaker(quick), policy]);
    await open(setup);
    await setup.clock.advance(5_500);
    refusing = true;
    expect((await failureOf(setup.gateway.chat(single))).code).toBe('permission');
    refusing = false;
    setup.a.reset();
    setup.a.reply('back');
    expect((await setup.gateway.chat(single)).text).toBe('back');
  });

  it('RET-11: a probe that fails opens for longer, and what an old probe says late is ignored', async () => {
    const breaker = circuitBreaker(quick);
    const setup = setUp([route(), breaker], { timeoutMs: 0 });
    await open(setup);
    await setup.clock.advance(5_500);
    setup.a.reset();
    setup.a.otherwise.fail(500).fault({ kind: 'slow-read', ms: 9_000 }).then.reply('back');
    const late = failureOf(setup.gateway.chat(single));
    // Its lease of five seconds is over: the next one is let through, and closes the circuit.
    await setup.clock.advance(5_000);
    expect((await setup.clock.settled(setup.gateway.chat(single))).text).toBe('back');
    expect(breaker.states().get('a/one')?.state).toBe('closed');
    await setup.clock.settled(late);
    expect(breaker.states().get('a/one')?.state).toBe('closed');
    expect((await setup.gateway.chat(single)).text).toBe('back');
  });

  it('STR-03: a quota that shows inside a stream puts its key to rest', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route(), circuitBreaker()]);
    a.otherwise.reply('x').failInside('quota-exceeded', 'after-start');
    b.reply('b');
    await clock.settled(gateway.stream('x').response);
    await clock.settled(gateway.stream('x').response);
    expect([a.calls.length, b.calls.length]).toEqual([1, 2]);
  });

  it('doubles the cool-down while probes fail, to the most, and starts anew after a success', async () => {
    const breaker = circuitBreaker({ callsMin: 4, coolDownMsMax: 20_000 });
    const setup = setUp([route(), breaker], { random: () => 0 });
    await open(setup);
    const waits: number[] = [];
    for (let probe = 0; probe < 4; probe++) {
      const waitMs = breaker.states().get('a/one')?.waitMs ?? 0;
      waits.push(waitMs);
      await setup.clock.advance(waitMs);
      await setup.clock.settled(failureOf(setup.gateway.chat(single)));
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 20_000]);
    await setup.clock.advance(20_000);
    setup.a.reset();
    setup.a.reply('back').then.fail(500);
    await setup.gateway.chat(single);
    for (let made = 0; made < 4; made++) await setup.clock.settled(failureOf(setup.gateway.chat(single)));
    expect(breaker.states().get('a/one')).toMatchObject({ state: 'open', waitMs: 5_000 });
  });

  it('RET-12: recovers although the wall clock is set back by an hour', async () => {
    const setup = setUp([route(), circuitBreaker(quick)]);
    await open(setup);
    setup.clock.setNow(setup.clock.now() - 3_600_000);
    await setup.clock.advance(5_500);
    setup.a.reset();
    setup.a.reply('back');
    expect((await setup.gateway.chat(single)).text).toBe('back');
  });

  it('RET-19, RET-20: a rate limit rests for as long as it asked, and is no failure', async () => {
    const breaker = circuitBreaker({ callsMin: 2 });
    const { clock, a, b, gateway } = setUp([retry(), route(), breaker]);
    a.otherwise.fail(429, { retryAfter: 20 }).times(1).then.reply('a');
    b.reply('b');
    for (let made = 0; made < 5; made++) expect((await clock.settled(gateway.chat('x'))).target.provider).toBe('b');
    expect(a.calls).toHaveLength(1);
    expect(breaker.states().get('a/one')?.state).toBe('closed');
    await clock.advance(20_000);
    expect((await gateway.chat('x')).target.provider).toBe('a');
  });

  it('a single rate-limited target is waited for by retry, without a hit in between', async () => {
    const { clock, a, gateway } = setUp([retry(), route(), circuitBreaker()]);
    a.otherwise.fail(429, { retryAfter: 10 }).times(1).then.reply('a');
    const both = await clock.settled(Promise.all([gateway.chat(single), gateway.chat(single)]));
    expect(both.map(({ text }) => text)).toEqual(['a', 'a']);
    await clock.advance(0);
  });

  it('RET-23: a refused key rests, with every model it opens; its provider is told apart by key', async () => {
    const breaker = circuitBreaker();
    const { clock, a, b, gateway } = setUp([route(), breaker], {
      models: {
        default: [{ target: 'a/one', credential: 'first' }, { target: 'a/one', credential: 'second' }, 'b/two'],
        other: [
          { target: 'a/large', credential: 'first' },
          { target: 'a/large', credential: 'second' },
        ],
        dead: [{ target: 'a/one', credential: 'first' }],
      },
    });
    a.otherwise.fail(401).times(1).then.reply('a');
    b.reply('b');
    const first = await clock.settled(gateway.chat('x'));
    expect(first.target).toEqual({ provider: 'a', model: 'one', credential: 'second' });
    expect(first.attempts.map(({ code, outcome }) => code ?? outcome)).toEqual(['authentication', 'completed']);
    const second = await gateway.chat({ model: 'other', prompt: 'x' });
    expect(second.target.credential).toBe('second');
    expect(second.attempts).toHaveLength(1);
    const dead = await failureOf(gateway.chat({ model: 'dead', prompt: 'x' }));
    expect(dead).toMatchObject({ code: 'authentication', retryable: false });
    await clock.advance(60_000);
    expect((await gateway.chat('x')).target.credential).toBe('first');
  });

  it('RET-23: a target that is down is not asked again with its other key', async () => {
    const { clock, a, b, gateway } = setUp([route(), circuitBreaker()], {
      models: {
        default: [{ target: 'a/one', credential: 'first' }, { target: 'a/one', credential: 'second' }, 'b/two'],
      },
    });
    a.otherwise.fail(500);
    b.reply('b');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('b');
    expect(a.calls).toHaveLength(1);
  });

  it('every target at rest after a rate limit is a rate limit, with the time of the first to be back', async () => {
    const { clock, a, b, gateway } = setUp([route(), circuitBreaker()]);
    a.otherwise.fail(429, { retryAfter: 40 });
    b.otherwise.fail(429, { retryAfter: 60 });
    await clock.settled(failureOf(gateway.chat('x')));
    const error = await failureOf(gateway.chat('x'));
    expect(error).toMatchObject({ code: 'rate-limited', retryAfterMs: 40_000, source: 'gateway' });
    expect(a.calls.length + b.calls.length).toBe(2);
  });

  it('tells of every change as an event', async () => {
    const setup = setUp([route(), circuitBreaker(quick)]);
    const states: string[] = [];
    setup.gateway.on('circuit', ({ target, state }) => states.push(`${target} ${state}`));
    await open(setup);
    await setup.clock.advance(5_500);
    setup.a.reset();
    setup.a.reply('back');
    await setup.gateway.chat(single);
    expect(states).toEqual(['a/one open', 'a/one half-open', 'a/one closed']);
  });

  it('RET-19: another process leaves the target alone within 250 ms', async () => {
    const store = memoryStore();
    const one = setUp([route(), circuitBreaker({ callsMin: 4, store })]);
    const other = setUp([route(), circuitBreaker({ callsMin: 4, store }), timeout()]);
    other.a.reply('a');
    other.b.reply('b');
    await other.gateway.chat('x');
    await open(one);
    await other.clock.advance(250);
    expect((await other.gateway.chat('x')).target.provider).toBe('b');
    expect(other.a.calls).toHaveLength(1);
  });

  it('a store that hangs costs 50 ms once, and no call', async () => {
    const hung = {
      name: 'hung',
      get: () => new Promise<undefined>(() => undefined),
      set: () => 'refused' as const,
      delete: () => false,
      invalidate: () => undefined,
    };
    const { clock, a, gateway } = setUp([route(), circuitBreaker({ store: hung })]);
    a.reply('a');
    expect((await clock.settled(gateway.chat(single))).text).toBe('a');
    expect(clock.monotonic()).toBeLessThanOrEqual(150);
    const began = clock.monotonic();
    await clock.settled(gateway.chat(single));
    expect(clock.monotonic()).toBe(began);
  });

  it.each<[unknown, string]>([
    [{ failureRatio: 2 }, 'circuitBreaker.failureRatio'],
    [{ callsMin: 0 }, 'circuitBreaker.callsMin'],
    [{ threshold: 5 }, 'circuitBreaker.threshold'],
  ])('refuses %j', (options, field) => {
    expect(() => circuitBreaker(options as CircuitBreakerOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });
});

describe('lastResort', () => {
  const lenient: CircuitBreakerOptions = { callsMin: 4, lastResort: true };

  it('standard(): the only target is always tried, and tells its own errors', async () => {
    const { clock, a, gateway } = setUp(standard(), { attemptsMax: 1 });
    for (const [status, code] of [
      [500, 'unavailable'],
      [401, 'authentication'],
      [429, 'rate-limited'],
    ] as const) {
      a.reset();
      a.otherwise.fail(status, { retryAfter: 40 });
      for (let made = 0; made < 30; made++) {
        const error = await clock.settled(failureOf(gateway.chat(single)));
        expect(error).toMatchObject({ code, status, source: 'provider' });
      }
      expect(a.calls).toHaveLength(30);
    }
  });

  it('standard(): a target that keeps failing is left alone by calls that have another', async () => {
    const { clock, a, b, gateway } = setUp(standard());
    a.otherwise.fail(500);
    b.reply('b');
    for (let made = 0; made < 40; made++) await clock.settled(failureOf(gateway.chat(single)));
    const hits = a.calls.length;
    for (let made = 0; made < 10; made++) expect((await clock.settled(gateway.chat('x'))).text).toBe('b');
    expect(a.calls).toHaveLength(hits);
  });

  it('a call that passes an open circuit is no probe: it neither closes it nor keeps it open', async () => {
    const breaker = circuitBreaker(lenient);
    const setup = setUp([route({ avoidMs: 0 }), breaker]);
    await open(setup);
    setup.a.reset();
    setup.a.on('bad').fail(500);
    setup.a.reply('back');
    setup.b.reply('b');
    expect((await setup.gateway.chat(single)).text).toBe('back');
    await setup.clock.settled(failureOf(setup.gateway.chat({ model: 'single', prompt: 'bad' })));
    expect(breaker.states().get('a/one')).toMatchObject({ state: 'open', waitMs: 5_500 });
    expect((await setup.gateway.chat('x')).text).toBe('b');
    await setup.clock.advance(5_500);
    expect((await setup.gateway.chat('x')).text).toBe('back');
    expect(breaker.states().get('a/one')?.state).toBe('closed');
  });

  it('RET-20: a fallback for it is somewhere to go: the only target is left alone like any other', async () => {
    const { clock, a, b, gateway } = setUp(standard({ fallback: fallback({ any: 'other' }) }));
    a.otherwise.fail(500);
    b.reply('b');
    for (let made = 0; made < 30; made++) expect((await clock.settled(gateway.chat(single))).text).toBe('b');
    const hits = a.calls.length;
    expect(hits).toBeLessThan(40);
    expect((await clock.settled(gateway.chat(single))).attempts).toHaveLength(1);
    expect(a.calls).toHaveLength(hits);
  });

  it('what other processes found out does not hold for the only target either', async () => {
    const store = memoryStore();
    const one = setUp([route(), circuitBreaker({ ...lenient, store })]);
    const other = setUp([route(), circuitBreaker({ ...lenient, store })]);
    await open(one);
    other.a.reply('a');
    other.b.reply('b');
    await other.clock.advance(250);
    expect((await other.gateway.chat('x')).text).toBe('b');
    await other.clock.advance(250);
    expect((await other.gateway.chat(single)).text).toBe('a');
  });

  it('several keys of one target share its circuit: the target is tried, a dead key is not', async () => {
    const keys = ['first', 'second'].map((credential) => ({ target: 'a/one', credential }));
    const setup = setUp([route(), circuitBreaker(lenient)], { models: { single: keys } });
    await open(setup);
    setup.a.reset();
    setup.a.on({ credential: 'first' }).fail(401);
    setup.a.reply('second');
    expect((await setup.clock.settled(setup.gateway.chat(single))).target.credential).toBe('second');
    expect((await setup.gateway.chat(single)).attempts).toHaveLength(1);
  });
});

describe('the circuit', () => {
  it('invariant 12: is the slow reference under random commands', () => {
    const settings = {
      windowMs: 10_000,
      callsMin: 5,
      failureRatio: 0.5,
      overloadRatio: 0.3,
      coolDownMs: 1_000,
      coolDownMsMax: 4_000,
    };
    const outcome = fc.constantFrom<CircuitOutcome>('success', 'failure', 'overload', 'limited', 'neutral');
    const command = fc.oneof(
      fc.record({ type: fc.constant('enter' as const) }),
      fc.record({ type: fc.constant('settle' as const), which: fc.nat(20), outcome }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
        const circuit = new Circuit(settings, () => 0);
        const model = new Reference(settings);
        const tickets: { real: Ticket; model: number }[] = [];
        let now = 0;
        for (const step of commands) {
          if (step.type === 'wait') now += step.ms;
          else if (step.type === 'enter') {
            const entry = circuit.enter(now);
            const expected = model.enter(now);
            expect('ticket' in entry).toBe(expected !== undefined);
            if ('ticket' in entry) tickets.push({ real: entry.ticket, model: expected as number });
          } else {
            const ticket = tickets.splice(step.which % Math.max(1, tickets.length), 1)[0];
            if (ticket === undefined) continue;
            circuit.settle(ticket.real, step.outcome, now);
            model.settle(ticket.model, step.outcome, now);
          }
          expect(circuit.state).toBe(model.state);
        }
      }),
      { seed: 7, numRuns: size(300, 20_000) },
    );
  });
});

/** The rules again, as slowly and plainly as they can be written. */
class Reference {
  state: 'closed' | 'open' | 'half-open' = 'closed';
  era = 0;
  log: { at: number; outcome: CircuitOutcome }[] = [];
  until = 0;
  coolDown = 0;
  readonly settings: ConstructorParameters<typeof Circuit>[0];
  constructor(settings: ConstructorParameters<typeof Circuit>[0]) {
    this.settings = settings;
  }
  enter(now: number): number | undefined {
    if (this.state === 'closed') return this.era;
    if (now < this.until) return undefined;
    this.state = 'half-open';
    this.until = now + this.coolDown;
    return ++this.era;
  }
  settle(era: number, outcome: CircuitOutcome, now: number): void {
    if (era !== this.era) return;
    const bad = outcome === 'failure' || outcome === 'overload';
    if (this.state === 'half-open') {
      if (bad) return this.open(now, outcome === 'overload');
      this.era++;
      if (outcome === 'neutral') this.until = now;
      else [this.state, this.coolDown, this.log] = ['closed', 0, []];
      return;
    }
    if (outcome === 'neutral') return;
    this.log.push({ at: now, outcome });
    const slice = this.settings.windowMs / 10;
    const recent = this.log.filter(({ at }) => Math.floor(at / slice) > Math.floor(now / slice) - 10);
    const count = (kind: CircuitOutcome): number => recent.filter((entry) => entry.outcome === kind).length;
    if (outcome === 'success' || recent.length < this.settings.callsMin) return;
    const overloaded = count('overload') > 0 && count('overload') / recent.length >= this.settings.overloadRatio;
    if (overloaded || (count('failure') + count('overload')) / recent.length >= this.settings.failureRatio) {
      this.open(now, overloaded);
    }
  }
  open(now: number, overloaded: boolean): void {
    const first = this.settings.coolDownMs * (overloaded ? 2 : 1);
    this.coolDown = Math.min(this.settings.coolDownMsMax, this.coolDown === 0 ? first : this.coolDown * 2);
    [this.state, this.until, this.log] = ['open', now + this.coolDown, []];
    this.era++;
  }
}
