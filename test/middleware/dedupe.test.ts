import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-types.ts';
import { cache } from '../../src/middleware/cache.ts';
import { dedupe } from '../../src/middleware/dedupe.ts';
import { type LedgerRow, meter } from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';

const WORDS = ['one ', 'two ', 'three ', 'four'];

function setup(more: Partial<GatewayOptions> = {}) {
  const clock = fakeClock();
  const mock = mockProvider();
  let count = 0;
  mock
    .on('plain')
    .reply(() => `answer ${++count}`)
    .delay(100)
    .always();
  mock.on('stream').reply(WORDS).pace({ pieceDelayMs: 100 }).always();
  const flights = dedupe();
  const rows: LedgerRow[] = [];
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    clock,
    use: [meter({ sink: (row) => void rows.push(row) }), flights, retry(), route()],
    ...more,
  });
  const attempts = () => rows.filter((row) => row.kind === 'attempt');
  return { clock, mock, flights, gateway, attempts };
}

async function words(texts: AsyncIterable<string>, stopAfter = Number.POSITIVE_INFINITY): Promise<string[]> {
  const seen: string[] = [];
  for await (const text of texts) {
    seen.push(text);
    if (seen.length === stopAfter) break;
  }
  return seen;
}

describe('dedupe', () => {
  it('lets identical calls in flight share one exchange and one charge', async () => {
    const { gateway, mock, clock, attempts } = setup();
    const calls = Array.from({ length: 20 }, () => gateway.chat('plain'));
    const replies = await clock.settled(Promise.all(calls));
    expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(['answer 1']));
    expect(replies.filter(({ cached }) => cached?.kind === 'coalesced')).toHaveLength(19);
    expect(mock.calls).toHaveLength(1);
    expect(attempts()).toHaveLength(1);
    expect(replies.map((reply) => reply.attempts.length).sort()).toEqual([...Array(19).fill(0), 1]);
    // What one does to its answer is not everybody's.
    const edited = replies[3]?.message.content as unknown as unknown[];
    edited.length = 0;
    expect(replies[4]?.message.content).toHaveLength(1);
    expect((await clock.settled(gateway.chat('plain'))).text).toBe('answer 2');
  });

  it('gives late joiners of a stream what was sent and then live events', async () => {
    const { gateway, mock, clock, attempts } = setup();
    const first = words(gateway.stream('stream').text);
    await clock.advance(250);
    const began = clock.monotonic();
    const times: number[] = [];
    const late = gateway.stream('stream');
    const second = (async () => {
      for await (const _text of late.text) times.push(clock.monotonic() - began);
    })();
    const plain = gateway.chat('stream');
    await clock.settled(Promise.all([first, second, plain]));
    expect(await first).toEqual(WORDS);
    expect(times.length).toBe(4);
    expect(times[0]).toBe(0);
    expect(times[3]).toBeGreaterThan(0);
    expect((await late.response).cached?.kind).toBe('coalesced');
    expect((await plain).text).toBe(WORDS.join(''));
    expect(mock.calls).toHaveLength(1);
    expect(attempts()).toHaveLength(1);
  });

  it("is not harmed by the leader's abort, before or in the middle of the answer (CACHE-10)", async () => {
    const { gateway, clock, mock, attempts } = setup();
    const controller = new AbortController();
    const leader = gateway.chat('plain', { signal: controller.signal });
    const follower = gateway.chat('plain');
    await clock.advance(50);
    controller.abort();
    await expect(leader).rejects.toMatchObject({ code: 'aborted' });
    expect((await clock.settled(follower)).text).toBe('answer 1');

    const stopping = words(gateway.stream('stream').text, 1);
    const staying = words(gateway.stream('stream').text);
    await clock.settled(Promise.all([stopping, staying]));
    expect(await staying).toEqual(WORDS);
    expect(mock.calls).toHaveLength(2);
    expect(attempts().map(({ status }) => status)).toEqual(['completed', 'completed']);
  });

  it("is not harmed by the leader's short timeout (CACHE-10)", async () => {
    const { gateway, clock } = setup();
    const leader = gateway.chat('plain', { timeoutMs: 10 });
    const follower = gateway.chat('plain');
    await expect(clock.settled(leader)).rejects.toMatchObject({ code: 'timeout' });
    expect((await clock.settled(follower)).text).toBe('answer 1');
  });

  it('aborts upstream when the last one leaves, and nobody joins what is doomed (CACHE-10)', async () => {
    const { gateway, clock, mock, attempts } = setup();
    const [one, two] = [new AbortController(), new AbortController()];
    const calls = [one, two].map(({ signal }) => gateway.chat('plain', { signal }));
    const outcomes = Promise.allSettled(calls);
    await clock.advance(50);
    one.abort();
    await clock.advance(1);
    expect(attempts()).toHaveLength(0);
    two.abort();
    await outcomes;
    const late = gateway.chat('plain');
    expect((await clock.settled(late)).text).toBeDefined();
    expect(mock.calls).toHaveLength(2);
    expect(attempts().map(({ status }) => status)).toEqual(['cancelled', 'completed']);

    const streams = [words(gateway.stream('stream').text, 1), words(gateway.stream('stream').text, 2)];
    await clock.settled(Promise.all(streams));
    await clock.advance(1_000);
    expect(attempts().at(-1)?.status).toBe('cancelled');
    expect(clock.pending).toBe(0);
  });

  it('clears what is in flight: nobody joins it, those on board get their answer (CACHE-10)', async () => {
    const { gateway, clock, flights, mock } = setup();
    const before = gateway.chat('plain');
    await clock.advance(10);
    flights.clear();
    const after = gateway.chat('plain');
    const replies = await clock.settled(Promise.all([before, after]));
    expect(replies.map(({ text }) => text).sort()).toEqual(['answer 1', 'answer 2']);
    expect(mock.calls).toHaveLength(2);
  });

  it('never shares between tenants, and not between calls that differ (CACHE-10, SEC-02)', async () => {
    const { gateway, clock, mock } = setup();
    const acme = gateway.with({ scope: { tenant: 'acme' } });
    const calls = [
      gateway.chat('plain'),
      acme.chat('plain'),
      acme.chat({ prompt: 'plain', seed: 1 }),
      acme.chat('plain', { controls: { dedupe: { mode: 'off' } } }),
      acme.chat({ prompt: 'plain', tools: [{ type: 'hosted', tool: 'web_search' }] }),
    ];
    const replies = await clock.settled(Promise.all(calls));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(5);
    expect(mock.calls).toHaveLength(5);
    await expect(acme.chat('plain', { controls: { dedupe: { mode: 'on' } } })).rejects.toMatchObject({
      code: 'invalid-request',
    });
  });

  it('lets all fail together, and the next one try again', async () => {
    const { gateway, clock, mock } = setup({ attemptsMax: 1 });
    mock.on('broken').fail('unavailable').then.reply('better');
    const outcomes = await clock.settled(Promise.allSettled([gateway.chat('broken'), gateway.chat('broken')]));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await gateway.chat('broken')).text).toBe('better');
    mock.on('half').reply(WORDS).cut({ content: 2 });
    const halves = [words(gateway.stream('half').text), words(gateway.stream('half').text)];
    const ended = await clock.settled(Promise.allSettled(halves));
    for (const outcome of ended) expect(outcome).toMatchObject({ reason: { code: 'stream-interrupted' } });
  });

  it('asks once for identical misses of a cache outside it, and keeps the answer once', async () => {
    const { gateway, clock, mock } = setup();
    const both = gateway.with({ use: [cache(), dedupe(), retry(), route()] });
    await clock.settled(Promise.all(Array.from({ length: 10 }, () => both.chat('plain'))));
    expect((await both.chat('plain')).cached?.kind).toBe('exact');
    expect(mock.calls).toHaveLength(1);
  });
});
