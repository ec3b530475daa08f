import { beforeAll, describe, expect, it } from 'vitest';
import type { ChatEvent, Middleware } from '../../src/index.ts';
import {
  cache,
  dedupe,
  fallback,
  type LedgerRow,
  logger,
  meter,
  redact,
  retry,
  route,
} from '../../src/middleware/index.ts';
import { failureOf, setUp, type Setup, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);

/** An answer that breaks after two pieces and is taken up by the other target. */
function taken(mode: 'restart' | 'continue', outside: readonly Middleware[]): Setup {
  const setup = setUp([...outside, retry({ afterContent: mode }), route()]);
  setup.a.otherwise.reply(['one ', 'two ', 'three']).cut({ content: 2 });
  setup.b.reply(['alpha ', 'beta']);
  return setup;
}

/** What a careful reader has in the end. */
async function read(stream: AsyncIterable<ChatEvent>): Promise<string> {
  let text = '';
  for await (const event of stream) {
    if (event.type === 'reset') text = '';
    if (event.type === 'text-delta') text += event.text;
  }
  return text;
}

describe('what stands outside retry when an answer is taken up again', () => {
  it('cache keeps the whole second answer, as the answer of who gave it', async () => {
    const { clock, a, b, gateway } = taken('restart', [cache({ replay: 'recorded' })]);
    expect(await clock.settled(read(gateway.stream('x')))).toBe('alpha beta');
    const kept = await clock.settled(gateway.stream('x').response);
    expect([kept.text, kept.cached?.kind, kept.target.provider]).toEqual(['alpha beta', 'exact', 'b']);
    expect([a.calls.length, b.calls.length]).toEqual([1, 1]);
  });

  it('cache keeps nothing that two attempts said together', async () => {
    const { clock, gateway } = taken('continue', [cache()]);
    expect(await clock.settled(read(gateway.stream('x')))).toBe('one two alpha beta');
    const again = await clock.settled(gateway.stream('x').response);
    expect(again.cached).toBeUndefined();
    expect(again.text).toBe('alpha beta');
  });

  it('meter has both attempts, each with its own tokens, and one call of the two', async () => {
    const rows: LedgerRow[] = [];
    const { clock, gateway } = taken('restart', [meter({ sink: (row) => void rows.push(row) })]);
    const response = await clock.settled(gateway.stream('x').response);
    const attempts = rows.flatMap((row) => (row.kind === 'attempt' ? [row] : []));
    const calls = rows.flatMap((row) => (row.kind === 'call' ? [row] : []));
    expect(attempts.map(({ provider, status }) => `${provider} ${status}`)).toEqual(['a failed', 'b completed']);
    expect(attempts.every(({ tokens }) => (tokens.output ?? 0) > 0)).toBe(true);
    expect(calls.map(({ status, attemptIds }) => [status, attemptIds.length])).toEqual([['completed', 2]]);
    expect(trailOf(response)).toEqual(['a/one failed', 'b/two completed']);
  });

  it('redact restores what stands in the second answer, and holds nothing of the first', async () => {
    const { clock, a, b, gateway } = setUp([redact(), retry({ afterContent: 'restart' }), route()]);
    const placeholder = (text: string): string => /\S*EMAIL\S*/.exec(text)?.[0] ?? 'nothing';
    a.otherwise
      .reply(({ text }) => ({ text: ['I wrote to ', placeholder(text).slice(0, 5), placeholder(text).slice(5), '.'] }))
      .cut({ content: 2 });
    b.reply(({ text }) => ({ text: ['Sent to ', placeholder(text).slice(0, 4), placeholder(text).slice(4), '!'] }));
    const stream = gateway.stream('Write to ann.lee@example.com');
    expect(await clock.settled(read(stream))).toBe('Sent to ann.lee@example.com!');
    expect((await stream.response).text).toBe('Sent to ann.lee@example.com!');
    expect(b.last.text).not.toContain('ann.lee');
  });

  it('dedupe gives every reader the reset and the whole answer', async () => {
    const { clock, a, b, gateway } = taken('restart', [dedupe()]);
    const readers = [read(gateway.stream('x')), read(gateway.stream('x')), read(gateway.stream('x'))];
    expect(await clock.settled(Promise.all(readers))).toEqual(['alpha beta', 'alpha beta', 'alpha beta']);
    expect([a.calls.length, b.calls.length]).toEqual([1, 1]);
  });

  it('logger tells of one call that completed', async () => {
    const lines: string[] = [];
    const { clock, gateway } = taken('restart', [logger({ logger: (line) => void lines.push(line) })]);
    await clock.settled(gateway.stream('x').response);
    expect(lines.filter((line) => line.includes('chat completed'))).toHaveLength(1);
  });

  it('fallback by finish reason still sees a plain answer only', async () => {
    const { clock, a, b, gateway } = setUp([
      fallback({ length: 'other' }),
      retry({ afterContent: 'restart' }),
      route(),
    ]);
    a.otherwise.reply(['half ', 'an answer']).finish('length');
    b.reply('whole');
    expect((await clock.settled(gateway.stream({ model: 'single', prompt: 'x' }).response)).text).toBe(
      'half an answer',
    );
    expect((await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }))).text).toBe('whole');
  });
});

describe('the faces of a stream that began anew', () => {
  it('text is never two answers as one: it fails, and says what to read instead', async () => {
    const { clock, gateway } = taken('restart', []);
    const texts: string[] = [];
    const reading = (async () => {
      for await (const text of gateway.stream('x').text) texts.push(text);
    })();
    const error = await clock.settled(failureOf(reading));
    expect(error).toMatchObject({ code: 'stream-interrupted', committed: true, stage: 'reset' });
    expect(texts.join('')).toBe('one two ');
  });

  it('partialOutput begins anew', async () => {
    const { clock, a, b, gateway } = setUp([retry({ afterContent: 'restart' }), route()]);
    a.otherwise.reply(['{"city":', '"Os', 'lo"}']).cut({ content: 2 });
    b.reply(['{"city":', '"Bergen"}']);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const value of gateway.stream('x').partialOutput) seen.push(value);
    })();
    await clock.settled(reading);
    expect(seen.at(-1)).toEqual({ city: 'Bergen' });
  });
});
