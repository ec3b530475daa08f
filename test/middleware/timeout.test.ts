import { beforeAll, describe, expect, it } from 'vitest';
import { retry, route, timeout, type TimeoutOptions } from '../../src/middleware/index.ts';
import { failureOf, setUp, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };

describe('timeout', () => {
  it('connectMs: no response headers of a stream', async () => {
    const { clock, a, gateway } = setUp([timeout({ connectMs: 2_000 })]);
    a.otherwise.fail('hang');
    const error = await clock.settled(failureOf(gateway.stream(single).response));
    expect(error).toMatchObject({ code: 'timeout', stage: 'connect', ambiguous: true, committed: false });
    expect(error.message).toBe('a/one sent no response headers within 2000 ms (timeout.connectMs).');
    expect(clock.monotonic()).toBe(2_000);
  });

  it('firstContentMs: headers, but no content', async () => {
    const { clock, a, gateway } = setUp([timeout({ connectMs: 2_000, firstContentMs: 5_000 })]);
    a.otherwise.reply('text').hang({ content: 0 });
    const error = await clock.settled(failureOf(gateway.stream(single).response));
    expect(error).toMatchObject({ code: 'timeout', stage: 'first-content', committed: false });
    expect(error.message).toBe('a/one sent no content within 5000 ms (timeout.firstContentMs).');
    expect(clock.monotonic()).toBe(5_000);
  });

  it('STR-07: one piece, then silence: ends at the idle bound to the millisecond, with no timer left', async () => {
    const { clock, a, gateway } = setUp([timeout({ idleMs: 30_000 })]);
    a.otherwise.reply(['one ', 'two']).hang({ content: 1 });
    const error = await clock.settled(failureOf(gateway.stream(single).response));
    expect(error).toMatchObject({ code: 'timeout', stage: 'idle', committed: true });
    expect(error.message).toBe('a/one sent no content for 30000 ms in the middle of its answer (timeout.idleMs).');
    expect(error.partial?.message.content).toMatchObject([{ text: 'one ' }]);
    expect(clock.monotonic()).toBe(30_000);
    expect(clock.pending).toBe(0);
  });

  it('STR-08: pings do not keep a stalled answer alive', async () => {
    const { clock, a, gateway } = setUp([timeout({ idleMs: 30_000, firstContentMs: 20_000 })]);
    a.on('early')
      .reply('text')
      .fault({ kind: 'pings', everyMs: 5_000, at: { content: 0 } });
    a.on('late')
      .reply(['one ', 'two'])
      .fault({ kind: 'pings', everyMs: 5_000, at: { content: 1 } });
    const early = await clock.settled(failureOf(gateway.stream({ model: 'single', prompt: 'early' }).response));
    expect(early.stage).toBe('first-content');
    expect(clock.monotonic()).toBe(20_000);
    const late = await clock.settled(failureOf(gateway.stream({ model: 'single', prompt: 'late' }).response));
    expect(late.stage).toBe('idle');
    expect(clock.monotonic()).toBe(50_000);
  });

  it('STR-08: a drip of content meets the bound of the whole stream', async () => {
    const { clock, a, gateway } = setUp([timeout({ idleMs: 10_000, streamMs: 60_000 })]);
    a.reply(Array.from({ length: 100 }, (_, index) => `${index} `)).pace({ pieceDelayMs: 5_000 });
    const error = await clock.settled(failureOf(gateway.stream(single).response));
    expect(error).toMatchObject({ code: 'timeout', stage: 'stream', committed: true });
    expect(error.message).toBe('a/one was still answering after 60000 ms (timeout.streamMs).');
    expect(clock.monotonic()).toBe(60_000);
  });

  it('RET-07, LEAK-09: attemptMs bounds a plain answer, its body too', async () => {
    for (const at of ['before-headers', 'after-headers'] as const) {
      const { clock, a, gateway } = setUp([timeout({ attemptMs: 3_000 })]);
      a.otherwise.reply('text').hang(at);
      const error = await clock.settled(failureOf(gateway.chat(single)));
      expect(error).toMatchObject({ code: 'timeout', stage: 'attempt' });
      expect(error.message).toBe('a/one gave no answer within 3000 ms (timeout.attemptMs).');
      expect(clock.monotonic()).toBe(3_000);
      expect(clock.pending).toBe(0);
    }
  });

  it('gives each attempt its own clock', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route(), timeout({ firstContentMs: 4_000 })]);
    a.otherwise.reply('x').hang({ content: 0 });
    b.reply('b').delay(3_000);
    const { attempts } = await clock.settled(gateway.stream('x').response);
    expect(trailOf({ attempts })).toEqual(['a/one failed', 'b/two completed']);
    expect(clock.monotonic()).toBe(7_000);
  });

  it('does not blame the model for a slow reader', async () => {
    const { clock, a, gateway } = setUp([timeout({ idleMs: 5_000 })]);
    a.reply(['one ', 'two ', 'three']).pace({ pieceDelayMs: 1_000 });
    const reading = (async () => {
      const texts: string[] = [];
      for await (const text of gateway.stream(single).text) {
        texts.push(text);
        await new Promise<void>((resolve) => void clock.after(20_000, resolve));
      }
      return texts;
    })();
    expect(await clock.settled(reading)).toEqual(['one ', 'two ', 'three']);
  });

  it('sees a stall although the reader was slow before it', async () => {
    const { clock, a, gateway } = setUp([timeout({ idleMs: 5_000 })]);
    a.otherwise.reply(['one ', 'two ']).hang({ content: 1 });
    const reading = (async () => {
      for await (const _text of gateway.stream(single).text) {
        await new Promise<void>((resolve) => void clock.after(20_000, resolve));
      }
    })();
    const error = await clock.settled(failureOf(reading));
    expect(error.stage).toBe('idle');
    expect(clock.monotonic()).toBeGreaterThanOrEqual(25_000);
    expect(clock.monotonic()).toBeLessThanOrEqual(30_000);
  });

  it('0 is no limit', async () => {
    const { clock, a, gateway } = setUp([timeout({ connectMs: 0, firstContentMs: 0, idleMs: 0 })], { timeoutMs: 0 });
    a.reply(['one ', 'two']).delay(500_000).pace({ pieceDelayMs: 1_000_000 });
    expect((await clock.settled(gateway.stream(single).response)).text).toBe('one two');
  });

  it('STR-15: a break after the end of the answer is no failure', async () => {
    const { clock, a, gateway } = setUp([retry(), route(), timeout()]);
    a.otherwise.reply('whole').reset('after-terminal');
    const { text, attempts } = await clock.settled(gateway.stream(single).response);
    expect(text).toBe('whole');
    expect(attempts).toHaveLength(1);
  });

  it.each<[string, unknown, string]>([
    ['an unknown option', { firstTokenMs: 1 }, 'timeout.firstTokenMs'],
    ['a negative time', { idleMs: -1 }, 'timeout.idleMs'],
    ['a time that is no number', { attemptMs: '5s' }, 'timeout.attemptMs'],
  ])('refuses %s', (_name, options, field) => {
    expect(() => timeout(options as TimeoutOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });
});
