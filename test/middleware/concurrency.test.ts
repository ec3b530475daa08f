import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { adaptiveLimit, beginningOf } from '../../src/core/adaptive-limit.ts';
import { AdmissionQueue } from '../../src/core/admission-queue.ts';
import { Heap } from '../../src/core/heap.ts';
import type { Priority } from '../../src/core/call.ts';
import { type LoadShedder, loadShedder } from '../../src/core/load-shedder.ts';
import { defineMiddleware, GatewayError } from '../../src/index.ts';
import { concurrency, type ConcurrencyOptions, retry, route, timeout } from '../../src/middleware/index.ts';
import { seededRandom } from '../../src/testing/script/random.ts';
import { ManualClock } from '../manual-clock.ts';
import { failureOf, setUp, warmUp } from './support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };
const stack = (options: ConcurrencyOptions) => [retry(), route(), concurrency(options), timeout()];

describe('concurrency', () => {
  it('keeps the calls in flight at a target within its maximum; streams count to their end', async () => {
    const { clock, a, gateway } = setUp(stack({ targetMax: 2 }));
    a.reply(['one ', 'two']).pace({ pieceDelayMs: 500 });
    const calls = Array.from({ length: 5 }, () => gateway.stream(single).response);
    await clock.advance(900);
    expect(a.calls).toHaveLength(2);
    await clock.advance(900);
    expect(a.calls).toHaveLength(4);
    await clock.settled(Promise.all(calls));
    expect(a.calls).toHaveLength(5);
    expect(clock.pending).toBe(0);
  });

  it('BUD-02: gives every place back: failure, abort, stream left by its reader', async () => {
    const { clock, a, gateway } = setUp(stack({ targetMax: 1, queueMax: 0 }));
    a.on('fail').fail(400);
    a.on('hang').fail('hang');
    a.on('long').reply(['one ', 'two ', 'three']).pace({ pieceDelayMs: 500 });
    a.on('cut').reply(['one ', 'two']).cut();
    a.on('last').reply('last');
    await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'fail' })));
    const controller = new AbortController();
    const hung = failureOf(gateway.chat({ model: 'single', prompt: 'hang' }, { signal: controller.signal }));
    await clock.advance(10);
    controller.abort();
    await hung;
    const reading = (async () => {
      for await (const _text of gateway.stream({ model: 'single', prompt: 'long' }).text) break;
    })();
    await clock.settled(reading);
    await clock.settled(failureOf(gateway.stream({ model: 'single', prompt: 'cut' }).response));
    expect((await gateway.chat({ model: 'single', prompt: 'last' })).text).toBe('last');
  });

  it('goes to the next candidate when the first is full, and waits at the last', async () => {
    const { clock, a, b, gateway } = setUp(stack({ targetMax: 1 }));
    a.reply('a').delay(1_000);
    b.reply('b').delay(1_000);
    const all = Promise.all([gateway.chat('x'), gateway.chat('x'), gateway.chat('x')]);
    await clock.advance(10);
    expect([a.calls.length, b.calls.length]).toEqual([1, 1]);
    expect((await clock.settled(all)).map(({ target }) => target.provider)).toEqual(['a', 'b', 'b']);
  });

  it('bounds each scope for itself', async () => {
    const { clock, a, gateway } = setUp(stack({ scopeMax: 1 }));
    a.reply('a').delay(1_000);
    const of = (tenant: string) => gateway.with({ scope: { tenant } }).chat(single);
    const all = Promise.all([of('acme'), of('acme'), of('acme'), of('zeta')]);
    await clock.advance(10);
    expect(a.calls.map(({ scope }) => scope.tenant)).toEqual(['acme', 'zeta']);
    await clock.settled(all);
    expect(clock.monotonic()).toBe(3_000);
  });

  it('lets the critical in first, and turns the least important away when the queue is full', async () => {
    const { clock, a, gateway } = setUp(stack({ targetMax: 1, queueMax: 2 }));
    a.reply((call) => call.text).delay(1_000);
    const order: string[] = [];
    const ask = (prompt: string, priority: 'critical' | 'normal' | 'background') =>
      gateway.chat({ model: 'single', prompt }, { priority }).then(
        ({ text }) => order.push(text),
        (error: { code: string }) => order.push(`${prompt} ${error.code}`),
      );
    const all = [ask('first', 'normal')];
    await clock.advance(1);
    all.push(ask('background', 'background'));
    await clock.advance(1);
    all.push(ask('normal', 'normal'));
    await clock.advance(1);
    all.push(ask('critical', 'critical'));
    await clock.advance(1);
    all.push(ask('late', 'normal'));
    await clock.settled(Promise.all(all));
    expect(order).toEqual(['background overloaded', 'late overloaded', 'first', 'critical', 'normal']);
  });

  it('LEAK-03: an abort in the queue ends at once, and the wait ends at queueMs or the deadline', async () => {
    const { clock, a, gateway } = setUp(stack({ targetMax: 1, queueMs: 2_000 }));
    a.otherwise.fail('hang');
    const first = failureOf(gateway.chat(single, { timeoutMs: 50_000 }));
    await clock.advance(1);
    const controller = new AbortController();
    const aborted = failureOf(gateway.chat(single, { signal: controller.signal }));
    const late = failureOf(gateway.chat(single));
    const short = failureOf(gateway.chat(single, { timeoutMs: 500 }));
    await clock.advance(100);
    controller.abort();
    expect((await aborted).code).toBe('aborted');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(await clock.settled(short)).toMatchObject({ code: expect.stringMatching(/timeout|overloaded/) });
    expect(await clock.settled(late)).toMatchObject({ code: 'overloaded', stage: 'queue', source: 'gateway' });
    expect(clock.monotonic()).toBe(2_001);
    expect(a.calls).toHaveLength(1);
    await clock.settled(first);
  });

  it('waiting is not on the clock of the attempt', async () => {
    const { clock, a, gateway } = setUp([route(), concurrency({ targetMax: 1 }), timeout({ attemptMs: 1_500 })]);
    a.reply('a').delay(1_000);
    const all = await clock.settled(Promise.all(Array.from({ length: 4 }, () => gateway.chat(single))));
    expect(all).toHaveLength(4);
  });

  it.each<[unknown, string]>([
    [{ targetMax: -1 }, 'concurrency.targetMax'],
    [{ scope: 'tags' }, 'concurrency.scope'],
    [{ limit: 5 }, 'concurrency.limit'],
  ])('refuses %j', (options, field) => {
    expect(() => concurrency(options as ConcurrencyOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });
});

describe('the admission queue', () => {
  it('invariant 12: never lets in too many, loses nobody, and keeps the order, under random commands', async () => {
    const priority = fc.constantFrom('critical' as const, 'normal' as const, 'background' as const);
    const command = fc.oneof(
      fc.record({ type: fc.constant('enter' as const), priority }),
      fc.record({ type: fc.constant('leave' as const), which: fc.nat(9) }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.nat(400) }),
      fc.record({ type: fc.constant('maximum' as const), maximum: fc.integer({ min: 1, max: 4 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const clock = new ManualClock();
        let maximum = 2;
        const queue = new AdmissionQueue({ clock, maximum: () => maximum, queueMax: 3, queueMs: 500, name: 'test' });
        const { signal } = new AbortController();
        const inside: (() => void)[] = [];
        let asked = 0;
        let refused = 0;
        let left = 0;
        for (const step of commands) {
          if (step.type === 'enter') {
            asked++;
            Promise.resolve()
              .then(() => queue.enter({ priority: step.priority, signal }))
              .then(
                (leave) => void inside.push(leave),
                () => void refused++,
              );
          } else if (step.type === 'leave') {
            const [leave] = inside.splice(step.which % Math.max(1, inside.length), 1);
            if (leave !== undefined) left++;
            leave?.();
          } else if (step.type === 'wait') clock.advance(step.ms);
          else {
            maximum = step.maximum;
            queue.drain();
          }
          for (let turn = 0; turn < 4; turn++) await Promise.resolve();
          expect(queue.inside).toBe(inside.length);
          expect(queue.waiting).toBeLessThanOrEqual(3);
          expect(inside.length + refused + queue.waiting + left).toBe(asked);
          if (queue.waiting > 0) expect(queue.inside).toBeGreaterThanOrEqual(maximum);
        }
        while (inside.length > 0 || queue.waiting > 0) {
          inside.splice(0).forEach((leave) => {
            leave();
            leave();
          });
          for (let turn = 0; turn < 4; turn++) await Promise.resolve();
        }
        expect(queue.inside).toBe(0);
        expect(clock.pending).toBe(0);
        expect(getEventListeners(signal, 'abort')).toHaveLength(0);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('its heap gives everything back in order, whatever was taken out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.array(fc.nat()), (items, taken) => {
        const heap = new Heap<number>((one, other) => one < other);
        const rest = [...items];
        for (const item of items) heap.push(item);
        for (const which of taken) {
          if (rest.length === 0) break;
          const [item] = rest.splice(which % rest.length, 1);
          expect(heap.remove(item as number)).toBe(true);
        }
        const out: number[] = [];
        while (heap.size > 0) out.push(heap.pop() as number);
        expect(out).toEqual(rest.sort((one, other) => one - other));
      }),
      { seed: 5 },
    );
  });
});

/** What the limit of `a/one` is now. */
function limitOf(gateway: ReturnType<typeof setUp>['gateway']): number {
  const told = gateway.explain(single).middleware.find(({ name }) => name === 'concurrency')?.summary ?? '';
  return Number(/of (\d+) in flight/.exec(told)?.[1]);
}

describe('the adaptive limit', () => {
  it('grows while answers begin as fast as ever, and only if it is used', () => {
    const limit = adaptiveLimit({ initial: 20, least: 20, most: 200 });
    for (let made = 0; made < 200; made++) limit.sample(300, 5);
    expect(limit.value).toBe(20);
    for (let made = 0; made < 400; made++) limit.sample(300, limit.value);
    expect(limit.value).toBe(200);
  });

  it('finds what a target bears: beyond fifty in flight its answers begin later', () => {
    const limit = adaptiveLimit({ initial: 20, least: 5, most: 400 });
    for (let made = 0; made < 50; made++) limit.sample(200, 10);
    let sum = 0;
    for (let made = 0; made < 2_000; made++) {
      const inFlight = limit.value;
      limit.sample(200 * Math.max(1, inFlight / 50) ** 2, inFlight);
      if (made >= 200 && made < 700) sum += limit.value;
    }
    expect(sum / 500).toBeGreaterThan(35);
    expect(sum / 500).toBeLessThan(120);
  });

  it('long plain answers beside streams that begin at once are no sign of load', () => {
    const limit = adaptiveLimit({ initial: 20, least: 5, most: 200 });
    const random = seededRandom(8);
    for (let made = 0; made < 1_500; made++) {
      if (made % 2 === 0) limit.sample(300, limit.value);
      else {
        const tokens = Math.floor(random() * 1_000);
        limit.sample(beginningOf(600 + tokens * 12, tokens), limit.value, 'plain');
      }
    }
    expect(limit.value).toBe(200);
  });

  it('follows plain answers in the middleware: a target that slows down under load is given less', async () => {
    const { clock, a, gateway } = setUp([route(), concurrency({ adaptive: true, adaptiveMin: 4, targetMax: 100 })]);
    for (const [prompt, ms] of [
      ['quick', 500],
      ['slow', 5_000],
    ] as const) {
      a.on(prompt)
        .reply({ text: prompt, usage: { input: 5, output: 50 } })
        .delay(ms);
    }
    const wave = (prompt: string) => {
      const all = Array.from({ length: 100 }, () => gateway.chat({ model: 'single', prompt }).catch(() => undefined));
      return clock.settled(Promise.all(all));
    };
    for (let round = 0; round < 6; round++) await wave('quick');
    const most = limitOf(gateway);
    for (let round = 0; round < 2; round++) await wave('slow');
    expect(most).toBeGreaterThan(20);
    expect(limitOf(gateway)).toBeLessThan(most / 2);
  });

  it('gives way to overloads, down to the least', () => {
    const limit = adaptiveLimit({ initial: 100, least: 10, most: 200 });
    limit.dropped();
    expect(limit.value).toBe(90);
    for (let made = 0; made < 100; made++) limit.dropped();
    expect(limit.value).toBe(10);
  });
});

describe('the load shedder', () => {
  /** One request now, if it is let through. */
  const send = (shedder: LoadShedder, priority: Priority, nowMs: number): boolean => {
    if (shedder.sheds(priority, nowMs)) return false;
    shedder.sent(nowMs);
    return true;
  };

  it('RET-25: counts requests before they are made, and sheds the least important first', () => {
    const random = seededRandom(9);
    const shares = new Map<string, number>();
    for (const priority of ['critical', 'normal', 'background'] as const) {
      const shedder = loadShedder(random);
      let shed = 0;
      for (let made = 0; made < 4_000; made++) {
        const now = made * 10;
        if (!send(shedder, priority, now)) shed++;
        else if (made % 4 === 0) shedder.accepted(now);
        else shedder.refused();
      }
      shares.set(priority, shed / 4_000);
    }
    expect(shares.get('critical')).toBeLessThan(0.05);
    expect(shares.get('normal')).toBeGreaterThan(0.3);
    expect(shares.get('background')).toBeGreaterThan(shares.get('normal') as number);
  });

  it('sheds nothing while the target takes what it is sent', () => {
    const shedder = loadShedder(seededRandom(1));
    for (let made = 0; made < 1_000; made++) {
      expect(send(shedder, 'background', made)).toBe(true);
      shedder.accepted(made);
    }
  });

  it.each([
    [1_000, 120_000, 120_000],
    [60_000, 120_000, 140_000],
    [300_000, 600_000, 700_000],
    [3_600_000, 1_800_000, 1_800_000],
  ])('RET-25: its window is at least twice as long as 99 in 100 calls take: calls of %i ms', (ms, least, most) => {
    const shedder = loadShedder(seededRandom(1));
    for (let made = 0; made < 200; made++) shedder.took(made % 50 === 0 ? ms : ms / 10);
    expect(shedder.windowMs).toBeGreaterThanOrEqual(least);
    expect(shedder.windowMs).toBeLessThanOrEqual(most);
  });

  it('RET-25: calls longer than the shortest window are no refusals while they run, and are when they do not come back', () => {
    const shedder = loadShedder(seededRandom(4));
    const longMs = 300_000;
    let shed = 0;
    // Two a second from the start; each is accepted after five minutes.
    for (let now = 0; now < 4 * longMs; now += 500) {
      if (now >= longMs) {
        shedder.accepted(now);
        shedder.took(longMs);
      }
      if (!send(shedder, 'background', now)) shed++;
    }
    expect(shed).toBe(0);
    // From here on nothing comes back.
    for (let now = 4 * longMs; now < 7 * longMs; now += 500) if (!send(shedder, 'background', now)) shed++;
    expect(shed).toBeGreaterThan(300);
  });

  it('RET-25: as much through the middleware: slow plain answers, many at once, all of them taken', async () => {
    const { clock, a, gateway } = setUp([route(), concurrency({ shed: true, targetMax: 0 })], {
      random: seededRandom(3),
      timeoutMs: 0,
    });
    a.otherwise.reply('long').delay(250_000);
    const answers: Promise<{ text: string }>[] = [];
    for (let made = 0; made < 300; made++) {
      answers.push(gateway.chat(single, { priority: 'background' }));
      await clock.advance(1_000);
    }
    const all = await clock.settled(Promise.all(answers));
    expect(all.every(({ text }) => text === 'long')).toBe(true);
  });

  it('calls that find the target full, or are kept back by another middleware, say nothing about it', async () => {
    const guard = defineMiddleware(
      {
        name: 'guard',
        attempt: () => {
          throw new GatewayError('budget-exceeded', 'Not today.');
        },
      },
      (call, next) => next(call),
    );
    const use = [route(), concurrency({ shed: true, targetMax: 5, queueMax: 0 }), guard];
    const { clock, a, gateway } = setUp(use, { random: seededRandom(6) });
    const codes = new Set<string>();
    for (let made = 0; made < 50; made++) codes.add((await clock.settled(failureOf(gateway.chat(single)))).code);
    expect([...codes]).toEqual(['budget-exceeded']);
    expect(a.calls).toHaveLength(0);
  });

  it('turns calls away in the middleware', async () => {
    const { clock, a, gateway } = setUp([route(), concurrency({ shed: true })], { random: seededRandom(2) });
    a.otherwise.fail(503);
    let background = 0;
    for (let made = 0; made < 60; made++) {
      const error = await clock.settled(failureOf(gateway.chat(single, { priority: 'background' })));
      if (error.source === 'gateway') background++;
    }
    expect(background).toBeGreaterThan(10);
    expect(a.calls).toHaveLength(60 - background);
  });
});
