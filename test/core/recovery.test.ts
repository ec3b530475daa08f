import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../src/index.ts';
import { retry, route, timeout } from '../../src/middleware/index.ts';
import { mockProvider } from '../../src/testing/index.ts';
import { failureOf, setUp, trailOf, warmUp } from '../middleware/support.ts';

beforeAll(warmUp);
const stack = (afterContent: 'fail' | 'restart' | 'continue') => [
  retry({ afterContent }),
  route(),
  timeout({ idleMs: 5_000 }),
];

/** Reads a stream as a careful reader does: forgets at a reset. */
async function read(stream: AsyncIterable<ChatEvent>): Promise<{ types: string[]; text: string }> {
  const types: string[] = [];
  let text = '';
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === 'reset') text = '';
    if (event.type === 'text-delta') text += event.text;
  }
  return { types, text };
}

describe('retry after content', () => {
  it.each(['cut', 'hang', 'junk', 'reset'] as const)(
    'STR-02: restart tells the reader to forget, and gives one whole answer (%s)',
    async (fault) => {
      const { clock, a, b, gateway } = setUp(stack('restart'));
      a.otherwise.reply(['one ', 'two ', 'three'])[fault]({ content: 2 });
      b.reply(['alpha ', 'beta']);
      const stream = gateway.stream('x');
      const { types, text } = await clock.settled(read(stream));
      expect(text).toBe('alpha beta');
      expect(types.filter((type) => type === 'reset')).toHaveLength(1);
      expect(types.indexOf('reset')).toBeLessThan(types.lastIndexOf('start'));
      expect(types.filter((type) => type === 'end')).toHaveLength(1);
      expect(types.at(-1)).toBe('end');
      const response = await stream.response;
      expect(response.text).toBe('alpha beta');
      expect(response.target.provider).toBe('b');
      expect(trailOf(response)).toEqual(['a/one failed', 'b/two completed']);
      expect(clock.pending).toBe(0);
    },
  );

  it('restart adds up what both attempts used', async () => {
    const { clock, a, b, gateway } = setUp(stack('restart'));
    a.otherwise.reply({ text: ['one ', 'two ', 'three'], usage: { input: 100, output: 3 } }).cut({ content: 2 });
    b.reply({ text: 'whole', usage: { input: 50, output: 7 } });
    const response = await clock.settled(gateway.stream('x').response);
    const attempts = response.attempts.map(({ usage }) => usage?.total ?? 0);
    expect(attempts).toHaveLength(2);
    expect(response.usage.total).toBe((attempts[0] as number) + (attempts[1] as number));
    expect(response.usage.total).toBeGreaterThan(57);
  });

  it('continue hands the beginning on, and the reader sees one text', async () => {
    const { clock, a, b, gateway } = setUp(stack('continue'));
    a.otherwise.reply(['Once upon ', 'a time ', 'there was']).cut({ content: 2 });
    b.reply(['there ', 'was a king.']);
    const stream = gateway.stream('Tell a story.');
    const { types, text } = await clock.settled(read(stream));
    expect(text).toBe('Once upon a time there was a king.');
    expect(types).not.toContain('reset');
    for (const once of ['start', 'text-start', 'text-end', 'finish', 'end']) {
      expect(
        types.filter((type) => type === once),
        once,
      ).toHaveLength(1);
    }
    const response = await stream.response;
    expect(response.text).toBe('Once upon a time there was a king.');
    expect(response.message.content).toHaveLength(1);
    const { messages } = b.last.request as unknown as { messages: { role: string; content: { text: string }[] }[] };
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(messages[1]?.content[0]?.text).toBe('Once upon a time ');
  });

  it('continue leaves out second thoughts, and goes on twice if it must', async () => {
    const { clock, a, b, gateway } = setUp(stack('continue'), { attemptsMax: 3 });
    a.otherwise.think('Hmm.').reply(['one ', 'two ', 'x']).cut({ content: 4 }).then.think('And?').reply(['four']);
    b.otherwise.think('Well.').reply(['three ', 'y']).cut({ content: 2 });
    const { types, text } = await clock.settled(read(gateway.stream('x')));
    expect(types.filter((type) => type === 'reasoning-start').length).toBeLessThanOrEqual(1);
    expect(types.filter((type) => type === 'text-start')).toHaveLength(1);
    expect(text.startsWith('one ')).toBe(true);
    expect(text.endsWith('four')).toBe(true);
  });

  it('continue never with tools or structured output: it fails with what was received', async () => {
    for (const request of [
      { prompt: 'x', tools: [{ name: 'look' }] },
      { prompt: 'x', output: { type: 'object', properties: {} } as const },
    ]) {
      const { clock, a, b, gateway } = setUp(stack('continue'));
      a.otherwise.reply(['{"one"', ': 1', '}']).cut({ content: 2 });
      b.reply('b');
      const error = await clock.settled(failureOf(gateway.stream(request).response));
      expect(error).toMatchObject({ committed: true });
      expect(b.calls).toHaveLength(0);
    }
  });

  it('TOOL-11: nothing starts again once a tool call was handed over, or where the provider runs tools', async () => {
    // In this protocol a tool call ends before its message does.
    const calling = mockProvider({ name: 'a', protocol: 'anthropic-messages' });
    const handed = setUp(stack('restart'), { providers: [calling, mockProvider({ name: 'b' })] });
    calling.otherwise.callTool('pay', { amount: 1 }).cut('before-terminal');
    const called: string[] = [];
    const reading = (async () => {
      for await (const { type } of handed.gateway.stream({ prompt: 'x', tools: [{ name: 'pay' }] })) called.push(type);
    })();
    const error = await handed.clock.settled(failureOf(reading));
    expect(called).toContain('tool-call-end');
    expect(called).not.toContain('reset');
    expect(error.attempts).toHaveLength(1);

    const hosted = setUp(stack('restart'));
    hosted.a.otherwise.reply(['one ', 'two']).cut();
    hosted.b.reply('b');
    const tools = [{ type: 'hosted', tool: 'web_search' }] as const;
    await hosted.clock.settled(failureOf(hosted.gateway.stream({ prompt: 'x', tools }).response));
    expect(hosted.b.calls).toHaveLength(0);
  });

  it('gives up with the failure and everything received when no attempt is left', async () => {
    const { clock, a, b, gateway } = setUp(stack('restart'), { attemptsMax: 2 });
    a.otherwise.reply(['one ', 'two']).cut();
    b.otherwise.reply(['alpha ', 'beta']).cut();
    const error = await clock.settled(failureOf(gateway.stream('x').response));
    expect(error).toMatchObject({ code: 'stream-interrupted', committed: true });
    expect(error.partial?.message.content).toMatchObject([{ text: 'alpha ' }]);
    expect(error.attempts).toHaveLength(2);
    expect(error.attempts.at(-1)?.next).toBe('gave up: no attempts left');
  });

  it('an abort or a reader that stops ends it, with no timer left', async () => {
    for (const stop of ['abort', 'break'] as const) {
      const { clock, a, gateway } = setUp(stack('restart'));
      a.otherwise.reply(['one ', 'two ', 'three']).hang({ content: 2 });
      const controller = new AbortController();
      const stream = gateway.stream('x', { signal: controller.signal });
      const reading = (async () => {
        for await (const _text of stream.text) if (stop === 'break') break;
      })();
      const ended = reading.catch(() => undefined);
      await clock.advance(100);
      controller.abort();
      await clock.settled(ended);
      await clock.advance(0);
      expect(clock.pending, stop).toBe(0);
      expect(a.calls).toHaveLength(1);
    }
  });

  it('invariant 3, STR-05: for a break at any place, what was delivered is a prefix of one attempt', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 6 }),
        fc.constantFrom('fail' as const, 'restart' as const),
        async (first, second, mode) => {
          const { clock, a, b, gateway } = setUp(stack(mode), { attemptsMax: 2 });
          const one = ['a1 ', 'a2 ', 'a3 ', 'a4 ', 'a5 '];
          const two = ['b1 ', 'b2 ', 'b3 ', 'b4 ', 'b5 '];
          a.otherwise.reply(one).cut({ content: first });
          b.otherwise.reply(two).cut({ content: second });
          let text = '';
          const reading = (async () => {
            for await (const event of gateway.stream('x')) {
              if (event.type === 'reset') text = '';
              if (event.type === 'text-delta') text += event.text;
            }
          })();
          await clock.settled(reading.catch(() => undefined));
          expect([one.join(''), two.join('')].some((whole) => whole.startsWith(text))).toBe(true);
        },
      ),
      { seed: 4, numRuns: 60 },
    );
  });
});
