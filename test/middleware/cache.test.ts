import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-types.ts';
import { type CacheOptions, cache } from '../../src/middleware/cache.ts';
import { dedupe } from '../../src/middleware/dedupe.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import type { Store } from '../../src/core/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { tiered } from '../../src/stores/tiered.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { size } from '../size.ts';

function setup(options: CacheOptions = {}, more: Partial<GatewayOptions> = {}) {
  const clock = fakeClock();
  const mock = mockProvider();
  let count = 0;
  mock.reply(() => `answer ${++count}`);
  const answers = cache(options);
  const events: string[] = [];
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    clock,
    use: [answers, retry(), route()],
    ...more,
  });
  gateway.on('cache', (event) => events.push(event.outcome));
  return { clock, mock, answers, gateway, events };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('cache: hits', () => {
  it('answers the same call again without asking, and says so', async () => {
    const { gateway, mock, clock, events } = setup();
    const first = await gateway.chat('Hello');
    await clock.advance(1_500);
    const second = await gateway.chat('Hello');
    expect([first.text, second.text]).toEqual(['answer 1', 'answer 1']);
    expect(first.cached).toBeUndefined();
    expect(second.cached).toMatchObject({ kind: 'exact', ageMs: 1_500 });
    expect(second.attempts).toEqual([]);
    expect(second.usage).toEqual(first.usage);
    expect(second.target).toEqual({ provider: 'mock', model: 'any' });
    expect(mock.calls).toHaveLength(1);
    expect(events).toEqual(['miss', 'hit']);
  });

  it('lets one-shot and streamed callers share entries, both ways, as valid event streams (CACHE-07)', async () => {
    const { gateway, mock } = setup();
    mock.on('think').think('Let me see.').reply('Done').callTool('look', { at: 'x' });
    const plain = await gateway.chat('please think');
    const stream = gateway.stream('please think');
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    const replayed = await stream.response;
    expect(replayed.cached?.kind).toBe('exact');
    expect(replayed.message).toEqual(plain.message);
    expect(replayed.usage).toEqual(plain.usage);
    expect(types[0]).toBe('start');
    expect(types.at(-1)).toBe('end');
    expect(types).toContain('reasoning-delta');
    expect(types).toContain('tool-call-end');

    const streamed = await gateway.stream('other').response;
    const again = await gateway.chat('other');
    expect(again.message).toEqual(streamed.message);
    expect(again.cached?.kind).toBe('exact');
    expect(mock.calls).toHaveLength(2);
  });

  it('replays with the recorded rhythm where asked', async () => {
    const { gateway, mock, clock } = setup({ replay: 'recorded' });
    mock.on('slow').reply(['one ', 'two ', 'three']).pace({ pieceDelayMs: 100 });
    const read = async (): Promise<[string, number][]> => {
      const began = clock.monotonic();
      const seen: [string, number][] = [];
      for await (const text of gateway.stream('slow').text) seen.push([text, clock.monotonic() - began]);
      return seen;
    };
    const live = await clock.settled(read());
    const replayed = await clock.settled(read());
    expect(replayed.map(([text]) => text)).toEqual(['one ', 'two ', 'three']);
    const gaps = (seen: [string, number][]) => seen.map(([, at]) => at - (seen[0]?.[1] ?? 0));
    expect(gaps(replayed)).toEqual(gaps(live));
    expect(mock.calls).toHaveLength(1);
  });

  it('keeps several answers for one key and takes any of them', async () => {
    let turn = 0;
    const { gateway, mock } = setup({ answers: 3 }, { random: () => (turn++ % 3) / 3 });
    const texts: string[] = [];
    for (let call = 0; call < 6; call++) texts.push((await gateway.chat('Hello')).text);
    expect(texts).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer 1', 'answer 2', 'answer 3']);
    expect(mock.calls).toHaveLength(3);
  });

  it('gives every caller an answer of its own: editing one changes no other', async () => {
    const { gateway } = setup();
    await gateway.chat('Hello');
    const one = await gateway.chat('Hello');
    (one.message.content as unknown as unknown[]).length = 0;
    const two = await gateway.chat('Hello');
    expect(two.text).toBe('answer 1');
    const { tokens } = two.usage as unknown as { tokens: Record<string, number> };
    tokens['input'] = -1;
    Object.assign(two.target, { model: 'other' });
    const three = await gateway.chat('Hello');
    expect(three.usage.tokens.input).not.toBe(-1);
    expect(three.target.model).toBe('any');
  });

  it('gives back fields with names of the language itself as what they are', async () => {
    const { gateway, mock } = setup();
    mock.on('odd').callTool('look', JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'));
    await gateway.chat('odd');
    for (let call = 0; call < 2; call++) {
      const { cached, toolCalls } = await gateway.chat('odd');
      expect(cached?.kind).toBe('exact');
      expect(JSON.stringify(toolCalls[0]?.args)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
      expect(Object.getPrototypeOf(toolCalls[0]?.args)).toBe(Object.prototype);
    }
  });
});

describe('cache: what is told of it', () => {
  it('says on the end of a call how it was answered, plain and streamed', async () => {
    const { gateway, clock } = setup();
    const ends: unknown[] = [];
    gateway.on('call-end', ({ status, cached, target, attempts }) => {
      ends.push([status, cached?.kind, cached?.ageMs, target?.provider, attempts.length]);
    });
    await gateway.chat('Hello');
    await clock.advance(10);
    await gateway.chat('Hello');
    await gateway.stream('Hello').response;
    await settled();
    expect(ends).toEqual([
      ['completed', undefined, undefined, 'mock', 1],
      ['completed', 'exact', 10, 'mock', 0],
      ['completed', 'exact', 10, 'mock', 0],
    ]);
  });
});

describe('cache: what is kept', () => {
  it('keeps no answer that ended early or broken: length, filter, invalid tool call (CACHE-04)', async () => {
    const { gateway, mock } = setup();
    for (const reason of ['length', 'content-filter', 'refusal', 'error'] as const) {
      mock.on(reason).reply('cut').finish(reason);
      await gateway.chat(`ends with ${reason}`);
      expect((await gateway.chat(`ends with ${reason}`)).cached, reason).toBeUndefined();
    }
  });

  it('keeps no stream that was cut or abandoned, wherever (CACHE-04)', async () => {
    const { gateway, mock, clock } = setup({}, { attemptsMax: 1 });
    for (let at = 0; at < 6; at++) mock.on(`cut ${at}`).reply('one two three four five six').cut({ content: at });
    mock.on('leave').reply('one two three four five six').pace({ pieceDelayMs: 10 }).always();
    for (let at = 0; at < 6; at++) {
      await clock.settled(gateway.stream(`cut ${at}`).response.catch(() => undefined));
      const again = await clock.settled(gateway.chat(`cut ${at}`).catch(() => undefined));
      expect(again?.cached, `cut at ${at}`).toBeUndefined();
    }
    // The six deltas come one a read; what comes after the last arrives with the end.
    for (let at = 0; at < 8; at++) {
      const leave = async (): Promise<void> => {
        let seen = 0;
        for await (const _event of gateway.stream(`leave ${at}`)) if (seen++ === at) break;
      };
      await clock.settled(leave());
      expect((await clock.settled(gateway.chat(`leave ${at}`))).cached, `left at ${at}`).toBeUndefined();
    }
  });

  it('keeps no answer without the form that was asked for (CACHE-04)', async () => {
    const { gateway, mock } = setup();
    mock.on('city').reply('not json').always();
    const request = { prompt: 'city', output: { type: 'object', properties: { a: { type: 'string' } } } } as const;
    await expect(gateway.chat(request)).rejects.toMatchObject({ code: 'invalid-output' });
    await expect(gateway.chat(request)).rejects.toMatchObject({ code: 'invalid-output' });
    expect(mock.calls).toHaveLength(2);
    mock.on('town').output({ a: 'Oslo' });
    const good = { ...request, prompt: 'town' };
    await gateway.chat(good);
    expect((await gateway.chat(good)).cached?.kind).toBe('exact');
  });

  it('never takes an absent temperature for 0 (CACHE-05)', async () => {
    const { gateway } = setup({ only: 'deterministic' });
    for (const [temperature, hit] of [
      [undefined, false],
      [0.2, false],
      [0, true],
    ] as const) {
      const request = { prompt: `t ${temperature}`, ...(temperature !== undefined && { temperature }) };
      await gateway.chat(request);
      expect((await gateway.chat(request)).cached !== undefined, String(temperature)).toBe(hit);
    }
    const any = setup().gateway;
    await any.chat({ prompt: 'x', temperature: 0 });
    expect((await any.chat({ prompt: 'x' })).cached).toBeUndefined();
  });

  it('serves an answer only where its producer is a candidate (CACHE-06)', async () => {
    const clock = fakeClock();
    const [one, two] = [mockProvider({ name: 'one' }), mockProvider({ name: 'two' })];
    one.reply('from one');
    two.reply('from two');
    one.on('outage').fail('unavailable').always();
    const answers = cache();
    const gateway = createGateway({
      providers: [one, two],
      models: { both: ['one/m', 'two/m'], first: 'one/m', second: 'two/m' },
      clock,
      use: [answers, route()],
    });
    const own = { controls: { cache: { key: 'mine' } } };
    expect((await gateway.chat({ model: 'both', prompt: 'outage' }, own)).text).toBe('from two');
    // The same key: its producer is no candidate of `first`, but is one of `second`.
    await expect(gateway.chat({ model: 'first', prompt: 'outage' }, own)).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect((await gateway.chat({ model: 'second', prompt: 'x' }, own)).cached?.kind).toBe('exact');
    const strict = gateway.with({ use: [cache({ acceptFallback: false }), route()] });
    await strict.chat({ model: 'both', prompt: 'outage' });
    expect((await strict.chat({ model: 'both', prompt: 'outage' })).cached).toBeUndefined();
  });

  it('passes by what cannot be replayed: provider-run tools, kept conversations, raw bodies', async () => {
    const { gateway, events } = setup();
    const hosted = { prompt: 'x', tools: [{ type: 'hosted', tool: 'web_search' }] } as const;
    const kept = { prompt: 'x', conversation: { id: 'conv' } };
    for (const request of [hosted, kept]) {
      await gateway.chat(request);
      expect((await gateway.chat(request)).cached).toBeUndefined();
    }
    await gateway.chat('x', { raw: true });
    expect((await gateway.chat('x', { raw: true })).cached).toBeUndefined();
    expect(new Set(events)).toEqual(new Set(['bypass']));
    await gateway.chat(hosted, { controls: { cache: { mode: 'use' } } });
    expect((await gateway.chat(hosted, { controls: { cache: { mode: 'use' } } })).cached?.kind).toBe('exact');
  });
});

describe('cache: time', () => {
  it('forgets after ttlMs', async () => {
    const { gateway, clock } = setup({ ttlMs: 1_000 });
    await gateway.chat('Hello');
    await clock.advance(999);
    expect((await gateway.chat('Hello')).text).toBe('answer 1');
    await clock.advance(1);
    expect((await gateway.chat('Hello')).text).toBe('answer 2');
  });

  it('serves stale and asks once behind it', async () => {
    const { gateway, clock, mock } = setup({ ttlMs: 1_000, staleWhileRevalidateMs: 5_000 });
    await gateway.chat('Hello');
    await clock.advance(1_200);
    const stale = await Promise.all([gateway.chat('Hello'), gateway.chat('Hello')]);
    expect(stale.map(({ text, cached }) => [text, cached?.kind])).toEqual([
      ['answer 1', 'stale'],
      ['answer 1', 'stale'],
    ]);
    await settled();
    const fresh = await gateway.chat('Hello');
    expect([fresh.text, fresh.cached?.kind]).toEqual(['answer 2', 'exact']);
    expect(mock.calls).toHaveLength(2);
  });

  it('serves stale when no target can answer, and only then', async () => {
    const { gateway, clock, mock } = setup({ ttlMs: 1_000, staleIfErrorMs: 5_000 }, { attemptsMax: 1 });
    mock.on('down').reply('before').then.fail('unavailable').always();
    mock.on('wrong').reply('before').then.fail('invalid-request').always();
    await gateway.chat('down');
    await gateway.chat('wrong');
    await clock.advance(2_000);
    const old = await gateway.chat('down');
    expect([old.text, old.cached?.kind]).toEqual(['before', 'stale']);
    await expect(gateway.chat('wrong')).rejects.toMatchObject({ code: 'invalid-request' });
    await clock.advance(5_000);
    await expect(gateway.chat('down')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('keeps no failure unless asked, and then only lasting ones', async () => {
    const { gateway, mock } = setup({}, { attemptsMax: 1 });
    mock.on('long').fail('context-too-long').always();
    for (let call = 0; call < 2; call++) await expect(gateway.chat('long')).rejects.toThrow();
    expect(mock.calls).toHaveLength(2);
    const asked = setup({ failureTtlMs: 1_000 }, { attemptsMax: 1 });
    asked.mock.on('long').fail('context-too-long').always();
    asked.mock.on('down').fail('unavailable').always();
    for (let call = 0; call < 2; call++) {
      await expect(asked.gateway.chat('long')).rejects.toMatchObject({ code: 'context-too-long' });
      await expect(asked.gateway.chat('down')).rejects.toMatchObject({ code: 'unavailable' });
    }
    expect(asked.mock.calls).toHaveLength(3);
    await asked.clock.advance(1_000);
    await expect(asked.gateway.chat('long')).rejects.toThrow();
    expect(asked.mock.calls).toHaveLength(4);
  });
});

describe('cache: what a call may ask', () => {
  const ask = (cacheControl: object) => ({ controls: { cache: cacheControl } });

  it('reads and keeps as the mode says', async () => {
    const { gateway } = setup();
    const text = async (mode: string) => (await gateway.chat('Hello', ask({ mode }))).text;
    expect(await text('read-only')).toBe('answer 1');
    expect(await text('read-only')).toBe('answer 2');
    expect(await text('off')).toBe('answer 3');
    expect(await text('write-only')).toBe('answer 4');
    expect(await text('read-only')).toBe('answer 4');
    expect(await text('refresh')).toBe('answer 5');
    expect(await text('use')).toBe('answer 5');
    expect(await text('off')).toBe('answer 6');
    expect(await text('use')).toBe('answer 5');
  });

  it('takes a ttl, a key and tags of its own', async () => {
    const { gateway, clock, answers } = setup();
    await gateway.chat('a', ask({ key: 'k', ttlMs: 100, tags: ['t'] }));
    expect((await gateway.chat('b', ask({ key: 'k' }))).text).toBe('answer 1');
    await clock.advance(100);
    expect((await gateway.chat('b', ask({ key: 'k' }))).text).toBe('answer 2');
    await answers.invalidate({ key: 'k' });
    expect((await gateway.chat('b', ask({ key: 'k', tags: ['t'] }))).text).toBe('answer 3');
    await answers.invalidate({ tag: 't' });
    expect((await gateway.chat('b', ask({ key: 'k' }))).text).toBe('answer 4');
  });

  it('refuses what it does not know, and controls nobody takes', async () => {
    const { gateway } = setup();
    for (const control of [{ mode: 'always' }, { ttlMs: 0 }, { key: '' }, { tags: 'x' }, { modes: 'use' }, 'off']) {
      await expect(gateway.chat('x', ask(control as object))).rejects.toMatchObject({ code: 'invalid-request' });
    }
    await expect(gateway.chat('x', { controls: { cahce: {} } })).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(gateway.chat('x', { controls: { retry: {} } })).rejects.toMatchObject({ field: 'controls.retry' });
  });

  it('refuses options it does not know, by name', () => {
    for (const options of [
      { ttl: 1 },
      { ttlMs: 0 },
      { answers: 0 },
      { scope: 'user' },
      { secret: 'short' },
      { only: 'all' },
    ]) {
      expect(() => cache(options as CacheOptions)).toThrow(expect.objectContaining({ code: 'invalid-options' }));
    }
  });
});

describe('cache: invalidation', () => {
  it('removes by key, tag and tenant, and nothing else', async () => {
    const { gateway, answers } = setup();
    const [acme, other] = ['acme', 'other'].map((tenant) => gateway.with({ scope: { tenant } }));
    const tagged = { controls: { cache: { tags: ['docs'] } } };
    const hits = async () =>
      [await acme?.chat('Hello', tagged), await other?.chat('Hello', tagged), await gateway.chat('Hello', tagged)].map(
        (response) => response?.cached !== undefined,
      );
    await hits();
    expect(await hits()).toEqual([true, true, true]);
    await answers.invalidate({ tenant: 'acme' });
    expect(await hits()).toEqual([false, true, true]);
    await answers.invalidate({ tenant: null });
    expect(await hits()).toEqual([true, true, false]);
    await answers.invalidate({ tag: 'docs', tenant: 'other' });
    expect(await hits()).toEqual([true, false, true]);
    await answers.invalidate({ tag: 'docs' });
    expect(await hits()).toEqual([false, false, false]);
    const key = (await acme?.chat('Hello'))?.cached?.key as string;
    await answers.invalidate({ key });
    expect(await hits()).toEqual([false, true, true]);
  });

  it('keeps nothing that was asked for before it', async () => {
    const { gateway, answers, mock, clock } = setup();
    mock.on('slow').reply('old').delay(100).then.reply('new');
    const asked = gateway.chat('slow');
    await clock.advance(50);
    await answers.invalidate({ tenant: null });
    expect((await clock.settled(asked)).text).toBe('old');
    const again = await gateway.chat('slow');
    expect([again.text, again.cached]).toEqual(['new', undefined]);
  });

  it('leaves nothing of a tenant in the store (SEC-02)', async () => {
    const store = memoryStore();
    const { gateway, answers } = setup({ store });
    const acme = gateway.with({ scope: { tenant: 'acme' } });
    for (let index = 0; index < 20; index++) await acme.chat(`question ${index}`);
    await acme.embed({ model: 'mock/embed', input: ['a', 'b', 'c'] });
    expect(store.usage().entries).toBe(23);
    await answers.invalidate({ tenant: 'acme' });
    expect(store.usage()).toEqual({ entries: 0, bytes: 0 });
  });
});

describe('cache: what is evicted', () => {
  it('closes no client: thousands of evictions during traffic fail nothing (CACHE-11)', async () => {
    const clock = fakeClock();
    const mock = mockProvider();
    mock.on('open').reply('one two three four five').always();
    mock.reply('answer');
    let closed = 0;
    const { name, protocols, handlers } = mock;
    const provider = { name, protocols, handlers, close: async () => void closed++ };
    const near = memoryStore({ entriesMax: 20, clock });
    const kept = memoryStore({ entriesMax: 50, clock });
    const far: Store = {
      name: 'far',
      get: (key) => kept.get(key),
      set: (key, value, options) => kept.set(key, value, options),
      delete: (key) => kept.delete(key),
      invalidate: (what) => kept.invalidate(what),
      close: () => void closed++,
    };
    const store = tiered(near, far);
    const gateway = createGateway({
      providers: [provider],
      models: { default: 'mock/any' },
      clock,
      use: [cache({ store }), dedupe(), retry(), route()],
    });
    const open = Array.from({ length: 10 }, (_, at) => gateway.stream(`open ${at}`).text[Symbol.asyncIterator]());
    for (const texts of open) expect((await texts.next()).value).toMatch(/^one/);
    const total = size(1_000, 10_000);
    for (let at = 0; at < total; at += 50) {
      const wave = Array.from({ length: 50 }, (_, of) => gateway.chat(`question ${at + of}`));
      for (const { text } of await Promise.all(wave)) expect(text).toBe('answer');
    }
    expect(near.usage().entries).toBe(20);
    expect(closed).toBe(0);
    for (const texts of open) {
      let last = '';
      for (let step = await texts.next(); step.done !== true; step = await texts.next()) last = step.value;
      expect(last).toMatch(/five$/);
    }
    await gateway.close();
    expect(closed).toBe(1);
  });
});

describe('cache: stores that fail', () => {
  it('never fails a call because of its store', async () => {
    const broken = {
      name: 'broken',
      get: () => {
        throw new Error('get');
      },
      set: () => Promise.reject(new Error('set')),
      delete: () => Promise.reject(new Error('delete')),
      invalidate: () => Promise.reject(new Error('invalidate')),
    };
    for (const lock of [false, true]) {
      const { gateway, answers } = setup({ store: broken, lock });
      const problems: string[] = [];
      gateway.on('problem', ({ stage }) => problems.push(stage));
      expect((await gateway.chat('Hello')).text).toBe('answer 1');
      expect((await gateway.stream('Hello').response).text).toBe('answer 2');
      await settled();
      expect(problems.length).toBeGreaterThan(0);
      await expect(answers.invalidate({ tenant: null })).rejects.toThrow('invalidate');
    }
  });

  it('takes entries it did not write, or another version did, for misses', async () => {
    const store = memoryStore();
    const { gateway } = setup({ store });
    await gateway.chat('Hello');
    const key = `${(await gateway.chat('Hello')).cached?.key}0`;
    for (const value of ['', 'null', '[]', '{"version":2}', '{"version":1,"at":1}', new Uint8Array(3)]) {
      store.set(key, value);
      expect((await gateway.chat('Hello')).cached).toBeUndefined();
    }
  });
});

describe('cache: embeddings', () => {
  it('asks only for inputs it does not have, each once', async () => {
    const { gateway, mock } = setup();
    const embed = (input: string[]) => gateway.embed({ model: 'mock/embed', input });
    const first = await embed(['a', 'b', 'a']);
    expect(mock.last.request).toMatchObject({ input: ['a', 'b'] });
    const second = await embed(['c', 'b', 'a', 'c']);
    expect(mock.last.request).toMatchObject({ input: ['c'] });
    expect(second.vectors[1]).toEqual(first.vectors[1]);
    expect(second.vectors[2]).toEqual(first.vectors[0]);
    expect(second.embeddings.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(second.cached).toBeUndefined();
    const third = await embed(['b', 'c']);
    expect(third.cached?.kind).toBe('exact');
    expect(third.vectors).toEqual([second.vectors[1], second.vectors[0]]);
    expect(mock.calls).toHaveLength(2);
    expect((await gateway.embed({ model: 'mock/embed', input: ['a'], dimensions: 8 })).cached).toBeUndefined();
  });

  it('never mixes the vectors of two producers in one answer', async () => {
    const [one, two] = [mockProvider({ name: 'one' }), mockProvider({ name: 'two' })];
    one.otherwise.vectors([1, 0]).then.fail('unavailable').always();
    two.reply(); // its own kind of vectors
    const gateway = createGateway({
      providers: [one, two],
      models: { both: ['one/m', 'two/m'] },
      use: [cache(), route()],
    });
    await gateway.embed({ model: 'both', input: ['a'] });
    const mixed = await gateway.embed({ model: 'both', input: ['a', 'b'] });
    expect(mixed.target.provider).toBe('two');
    expect(new Set(mixed.vectors.map((vector) => vector.length)).size).toBe(1);
    expect(two.last.request).toMatchObject({ input: ['a', 'b'] });
  });
});
