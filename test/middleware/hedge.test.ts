import { getEventListeners } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { percentileSketch } from '../../src/core/percentile-sketch.ts';
import { type AttemptOutcome, defineMiddleware } from '../../src/index.ts';
import { hedge, type HedgeOptions, retry, route, timeout } from '../../src/middleware/index.ts';
import { seededRandom } from '../../src/testing/script/random.ts';
import { failureOf, setUp, type Setup, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);

function watched(options: HedgeOptions = {}) {
  const outcomes: AttemptOutcome[] = [];
  const watch = defineMiddleware(
    { name: 'watch', attempt: () => ({ end: (outcome) => void outcomes.push(outcome) }) },
    (call, next) => next(call),
  );
  const setup = setUp([watch, retry(), hedge({ callsMin: 20, ...options }), route(), timeout()]);
  return { ...setup, outcomes };
}

/** Measures both targets: a hundred milliseconds each. */
async function measure({ clock, a, b, gateway }: Setup, stream = true): Promise<void> {
  a.on('warm').reply('warm').delay(100);
  b.on('warm').reply('warm').delay(100);
  for (const model of ['single', 'other']) {
    for (let made = 0; made < 20; made++) {
      const request = { model, prompt: 'warm' };
      await clock.settled(stream ? gateway.stream(request).response : gateway.chat(request));
    }
  }
}

describe('hedge', () => {
  it('the first content wins; the other attempt is aborted and is on record', async () => {
    const setup = watched();
    await measure(setup);
    const { clock, a, b, gateway, outcomes } = setup;
    outcomes.length = 0;
    a.on('slow').reply(['slow ', 'answer']).delay(10_000);
    b.on('slow').reply('quick').delay(50);
    const began = clock.monotonic();
    const { text, target, attempts } = await clock.settled(gateway.stream('slow').response);
    expect(text).toBe('quick');
    expect(target.provider).toBe('b');
    expect(clock.monotonic() - began).toBeLessThan(170);
    expect(trailOf({ attempts })).toEqual(['a/one cancelled', 'b/two completed']);
    expect(clock.pending).toBe(0);
    expect(outcomes.map(({ status, billing }) => `${status} ${billing}`)).toEqual([
      'cancelled possible',
      'completed yes',
    ]);
    expect(outcomes[0]?.usage).toMatchObject({ quality: 'estimated' });
  });

  it('USE-05: the first may win all the same, and the second is metered', async () => {
    const setup = watched();
    await measure(setup, false);
    const { clock, a, b, gateway, outcomes } = setup;
    outcomes.length = 0;
    a.on('slow').reply('first').delay(150);
    b.on('slow').reply('second').delay(10_000);
    const { text, attempts } = await clock.settled(gateway.chat('slow'));
    expect(text).toBe('first');
    expect(trailOf({ attempts })).toEqual(['a/one completed', 'b/two cancelled']);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['cancelled', 'completed']);
    for (const { usage } of outcomes) expect(usage?.total).toBeGreaterThan(0);
  });

  it('goes to the same target when there is no other', async () => {
    const setup = watched();
    await measure(setup);
    const { clock, a, gateway } = setup;
    a.on('slow').reply('slow').delay(10_000).then.reply('quick');
    const { text, attempts } = await clock.settled(gateway.stream({ model: 'single', prompt: 'slow' }).response);
    expect(text).toBe('quick');
    expect(trailOf({ attempts })).toEqual(['a/one cancelled', 'a/one completed']);
  });

  it('does nothing before a target is measured, for background calls, and where the provider runs tools', async () => {
    const { clock, a, gateway } = watched();
    a.otherwise.reply('a').delay(5_000);
    expect((await clock.settled(gateway.stream('x').response)).attempts).toHaveLength(1);

    const measured = watched();
    await measure(measured);
    measured.a.on('slow').reply('a').delay(5_000);
    const tools = [{ type: 'hosted', tool: 'web_search' }] as const;
    const hosted = await measured.clock.settled(measured.gateway.stream({ prompt: 'slow', tools }).response);
    expect(hosted.attempts).toHaveLength(1);
    const background = measured.gateway.stream('slow', { priority: 'background' });
    expect((await measured.clock.settled(background.response)).attempts).toHaveLength(1);
  });

  it('never after content: a stream that has begun is one attempt', async () => {
    const setup = watched();
    await measure(setup);
    const { clock, a, gateway } = setup;
    a.on('slow').reply(['one ', 'two ', 'three']).pace({ pieceDelayMs: 90 });
    const { text, attempts } = await clock.settled(gateway.stream('slow').response);
    expect(text).toBe('one two three');
    expect(attempts).toHaveLength(1);
  });

  it('a failure of one waits for the other; a mistake of the caller does not', async () => {
    const setup = watched();
    await measure(setup);
    const { clock, a, b, gateway } = setup;
    a.on('down').reply('lost').delay(150).failInside('overloaded', 'after-start');
    b.on('down').reply('b').delay(500);
    const { text } = await clock.settled(gateway.stream('down').response);
    expect(text).toBe('b');
    a.on('bad').delay(150).fail(400);
    b.on('bad').reply('b').delay(5_000);
    const began = clock.monotonic();
    expect((await clock.settled(failureOf(gateway.stream('bad').response))).code).toBe('invalid-request');
    expect(clock.monotonic() - began).toBe(150);
    expect(clock.pending).toBe(0);
  });

  it('fails with what failed last when both do, and retry goes on', async () => {
    const setup = watched();
    await measure(setup);
    const { clock, a, b, gateway } = setup;
    a.on('down').delay(150).fail(500).then.reply('back');
    b.on('down').delay(100).fail(503);
    const { attempts } = await clock.settled(gateway.stream('down').response);
    expect(trailOf({ attempts })).toEqual(['a/one failed', 'b/two failed', 'a/one completed']);
  });

  it('LEAK-02, LEAK-03: an abort ends both at once, and no listener or timer stays', async () => {
    const setup = watched();
    await measure(setup);
    const { clock, a, b, gateway } = setup;
    a.on('hang').fail('hang');
    b.on('hang').fail('hang');
    const controller = new AbortController();
    const failing = failureOf(gateway.stream('hang', { signal: controller.signal }).response);
    await clock.advance(200);
    expect(a.calls.length + b.calls.length).toBe(42);
    controller.abort();
    expect((await failing).code).toBe('aborted');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });

  it('keeps to its share of the load, and of the spend', async () => {
    for (const [options, most] of [
      [{ loadRatio: 0.05, spendRatio: 1 }, 5 + 240 * 0.05],
      [{ loadRatio: 1, spendRatio: 0.02 }, 20],
      [{ loadRatio: 0 }, 0],
    ] as const) {
      const setup = watched(options);
      await measure(setup);
      const { clock, a, b, gateway } = setup;
      a.on('slow').reply('a').delay(400);
      b.on('slow').reply('b').delay(10);
      let second = 0;
      for (let made = 0; made < 200; made++) {
        a.on('warm');
        const { attempts } = await clock.settled(gateway.stream(made % 2 === 0 ? 'slow' : 'warm').response);
        second += attempts.length - 1;
      }
      expect(second, JSON.stringify(options)).toBeLessThanOrEqual(most);
      if (most > 0) expect(second).toBeGreaterThan(0);
    }
  });

  it.each<[unknown, string]>([
    [{ percentile: 95 }, 'hedge.percentile'],
    [{ delay: 5 }, 'hedge.delay'],
    [{ costOf: 3 }, 'hedge.costOf'],
  ])('refuses %j', (options, field) => {
    expect(() => hedge(options as HedgeOptions)).toThrow(expect.objectContaining({ code: 'invalid-options', field }));
  });
});

describe('the percentile sketch', () => {
  it('is within five percent of the sorted samples, at any scale', () => {
    const random = seededRandom(3);
    for (const scale of [5, 400, 30_000]) {
      const samples = Array.from({ length: 900 }, () => scale * (1 + random() ** 4 * 9));
      const sketch = percentileSketch();
      for (const sample of samples) sketch.add(sample);
      samples.sort((one, other) => one - other);
      for (const share of [0.1, 0.5, 0.9, 0.95, 0.99]) {
        const exact = samples[Math.ceil(share * samples.length) - 1] as number;
        expect(Math.abs(sketch.at(share) / exact - 1)).toBeLessThan(0.055);
      }
    }
  });

  it('forgets: a target that becomes slow is seen to', () => {
    const sketch = percentileSketch();
    for (let made = 0; made < 5_000; made++) sketch.add(100);
    for (let made = 0; made < 1_000; made++) sketch.add(1_000);
    expect(sketch.at(0.5)).toBeGreaterThan(900);
  });
});
