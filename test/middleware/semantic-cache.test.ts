import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-types.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import {
  type Embedder,
  memoryVectorIndex,
  semanticCache,
  type SemanticCacheOptions,
} from '../../src/middleware/semantic-cache.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

/** All questions about resetting look alike to it, and unlike everything else. */
const crude: Embedder = {
  id: 'crude',
  embed: (texts) => texts.map((text) => (/reset|answer/.test(text) ? [1, 0.05 * (text.charCodeAt(0) % 3)] : [0, 1])),
};
const ASKED = 'How do I reset my password?';
const REPHRASED = 'how can I reset my password';

function setup(options: Partial<SemanticCacheOptions> = {}, more: Partial<GatewayOptions> = {}) {
  const clock = fakeClock();
  const mock = mockProvider();
  let count = 0;
  mock.reply(() => `answer ${++count}`);
  const semantic = semanticCache({ embed: crude, ...options });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any', embedder: 'mock/embed', judge: 'mock/judge' },
    clock,
    use: [semantic, retry(), route()],
    ...more,
  });
  const outcomes: string[] = [];
  gateway.on('cache', (event) => outcomes.push(event.outcome));
  const ask = async (...[request, beside]: Parameters<typeof gateway.chat>) => {
    const response = await gateway.chat(request, beside);
    await settled();
    return response;
  };
  return { clock, mock, semantic, gateway, ask, outcomes };
}

describe('semanticCache', () => {
  it('answers a question that was asked in other words, and says how near it was', async () => {
    const { ask, gateway, mock, clock } = setup();
    const first = await ask(ASKED);
    await clock.advance(100);
    const second = await ask(REPHRASED);
    expect(second.text).toBe(first.text);
    expect(second.cached).toMatchObject({ kind: 'semantic', ageMs: 100 });
    expect(second.cached?.similarity).toBeGreaterThan(0.95);
    const streamed = await gateway.stream(REPHRASED).response;
    expect([streamed.text, streamed.cached?.kind]).toEqual([first.text, 'semantic']);
    expect(mock.calls).toHaveLength(1);
  });

  it('lets the guards object to what vectors cannot tell apart (CACHE-08)', async () => {
    const { ask } = setup();
    await ask(ASKED);
    for (const other of ['How do I not reset my password?', 'How do I reset my PIN?', 'How do I reset 2 passwords?']) {
      expect((await ask(other)).cached, other).toBeUndefined();
    }
    const unguarded = setup({ guards: false });
    await unguarded.ask(ASKED);
    expect((await unguarded.ask('How do I not reset my password?')).cached?.kind).toBe('semantic');
  });

  it('looks only where everything but the last text is the same (CACHE-03)', async () => {
    const { ask } = setup({ multiTurn: true });
    const base = { prompt: ASKED, system: 'Be brief.', temperature: 0, maxTokens: 50 };
    await ask(base);
    expect((await ask({ ...base, prompt: REPHRASED })).cached?.kind).toBe('semantic');
    const others = [
      { system: 'Be verbose.' },
      { temperature: 0.1 },
      { maxTokens: 51 },
      { verbosity: 'low' as const },
      { model: 'mock/other' },
      { seed: 1 },
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
        ] as const,
      },
    ];
    for (const changes of others) {
      const { cached } = await ask({ ...base, prompt: REPHRASED, ...changes } as never);
      expect(cached, JSON.stringify(changes)).toBeUndefined();
    }
  });

  it('never crosses tenants, identical texts and vectors included (CACHE-01, SEC-02)', async () => {
    const { ask, semantic } = setup({ scope: ['user'] });
    const scopes = [{}, { tenant: 'a' }, { tenant: 'b' }, { tenant: 'a', user: 'u' }];
    for (const scope of scopes) expect((await ask(ASKED, { scope })).cached).toBeUndefined();
    for (const scope of scopes) expect((await ask(ASKED, { scope })).cached?.kind).toBe('semantic');
    await semantic.invalidate({ tenant: 'a' });
    const after = [];
    for (const scope of scopes) after.push((await ask(ASKED, { scope })).cached !== undefined);
    expect(after).toEqual([true, false, true, false]);
  });

  it('never compares vectors of two embedders, in an index they share', async () => {
    const [index, store] = [memoryVectorIndex(), memoryStore()];
    const one = setup({ index, store });
    const two = setup({ index, store, embed: { ...crude, id: 'other' } });
    await one.ask(ASKED);
    expect((await two.ask(REPHRASED)).cached).toBeUndefined();
    expect((await one.ask(REPHRASED)).cached?.kind).toBe('semantic');
  });

  it('leaves no vector of a tenant behind (SEC-02)', async () => {
    const index = memoryVectorIndex();
    const { ask, semantic } = setup({ index });
    for (const tenant of ['a', 'b']) {
      for (const prompt of [ASKED, 'Something else']) await ask(prompt, { scope: { tenant } });
      await ask({ prompt: ASKED, temperature: 1 }, { scope: { tenant } });
    }
    expect(index.size).toBe(6);
    await semantic.invalidate({ tenant: 'a' });
    expect(index.size).toBe(3);
    expect((await ask(ASKED, { scope: { tenant: 'b' } })).cached?.kind).toBe('semantic');
  });

  it('never answers for tools, agents, several turns or several answers (CACHE-08)', async () => {
    const { ask, outcomes } = setup();
    const requests = [
      { prompt: ASKED, tools: [{ name: 'look', input: { type: 'object' } }] },
      { prompt: ASKED, n: 2 },
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content: ASKED },
        ],
      },
      { prompt: 'x'.repeat(3_000) },
    ];
    for (const request of requests) {
      await ask(request as never);
      expect((await ask(request as never)).cached).toBeUndefined();
    }
    await ask(ASKED, { scope: { agent: 'bot' } });
    expect((await ask(ASKED, { scope: { agent: 'bot' } })).cached).toBeUndefined();
    expect(new Set(outcomes)).toEqual(new Set(['bypass']));
  });

  it('lets one call raise the threshold, never lower it (CACHE-08)', async () => {
    const { ask } = setup();
    await ask(ASKED);
    const controls = (semantic: object) => ({ controls: { semanticCache: semantic } });
    await expect(ask(REPHRASED, controls({ threshold: 0.9 }))).rejects.toMatchObject({ code: 'invalid-request' });
    expect((await ask(REPHRASED, controls({ threshold: 1 }))).cached).toBeUndefined();
    expect((await ask(REPHRASED, controls({ mode: 'off' }))).cached).toBeUndefined();
    expect((await ask(REPHRASED)).cached?.kind).toBe('semantic');
  });

  it('asks a verifier last, and takes anything but a yes for a no', async () => {
    const { ask, mock } = setup({ verify: 'judge' });
    mock.on({ model: 'judge' }).reply('Perhaps').then.reply('Yes.');
    await ask(ASKED);
    expect((await ask(REPHRASED)).cached).toBeUndefined();
    expect((await ask('can I please reset my password, how?')).cached).toBeUndefined();
    const seen: unknown[] = [];
    const own = setup({
      verify: (both) => {
        seen.push(both);
        return true;
      },
    });
    await own.ask(ASKED);
    expect((await own.ask(REPHRASED)).cached?.kind).toBe('semantic');
    expect(seen).toEqual([{ first: ASKED, second: REPHRASED }]);
  });

  it('asks an embedding model below itself, as a child of the call', async () => {
    const { ask, mock } = setup({ embed: 'embedder' });
    await ask(ASKED);
    await ask(ASKED);
    const operations = mock.calls.map(({ operation }) => operation);
    expect(operations).toEqual(['embed', 'chat', 'embed']);
  });

  it('harms no call when the embedder fails', async () => {
    const broken: Embedder = {
      id: 'broken',
      embed: () => {
        throw new Error('no model');
      },
    };
    for (const embed of [broken, { id: 'empty', embed: () => [] }, { id: 'zero', embed: () => [[0, 0]] }]) {
      const { ask, gateway } = setup({ embed });
      const problems: string[] = [];
      gateway.on('problem', ({ stage }) => problems.push(stage));
      expect((await ask(ASKED)).text).toBe('answer 1');
      expect(problems).toEqual(['semantic cache']);
    }
  });

  it('forgets after ttlMs, and keeps only whole answers without tool calls', async () => {
    const { ask, clock, mock } = setup({ ttlMs: 1_000 });
    await ask(ASKED);
    await clock.advance(1_000);
    expect((await ask(REPHRASED)).cached).toBeUndefined();
    mock.on('reset it').reply('cut').finish('length');
    await ask('reset it');
    expect((await ask('reset it')).cached).toBeUndefined();
  });

  it('refuses bad options by name', () => {
    for (const options of [
      {},
      { embed: '' },
      { embed: crude, threshold: 2 },
      { embed: crude, guards: ['spelling'] },
      { embed: crude, verify: 3 },
      { embed: crude, thresold: 1 },
    ]) {
      expect(() => semanticCache(options as SemanticCacheOptions)).toThrow(
        expect.objectContaining({ code: 'invalid-options' }),
      );
    }
  });
});

describe('semanticCache in shadow mode', () => {
  it('answers live, and counts what it would have answered wrongly', async () => {
    const judged: string[] = [];
    const judge = ({ first, second }: { first: string; second: string }) => {
      judged.push(`${first}|${second}`);
      return judged.length !== 2;
    };
    const { ask, semantic, mock, outcomes } = setup({ shadow: { judge } });
    const phrasings = [
      ASKED,
      REPHRASED,
      'How may I reset my password?',
      'please, how do I reset my password',
      'How do I reset my PIN?',
    ];
    for (const text of phrasings) expect((await ask(text)).cached).toBeUndefined();
    expect(mock.calls).toHaveLength(phrasings.length);
    const report = semantic.report();
    expect(report).toMatchObject({ lookups: 5, compared: 4, hits: 3, falseHits: 1 });
    expect(report.falseHitRate).toBeCloseTo(1 / 3);
    expect(report.savedTokens).toBeGreaterThan(0);
    expect(report.recommended).toBeUndefined();
    expect(outcomes).toEqual(['shadow-miss', 'shadow-hit', 'shadow-hit', 'shadow-hit', 'shadow-miss']);
  });

  it('recommends a threshold once enough of it is proven', async () => {
    const { ask, semantic } = setup({ shadow: { judge: () => true, falseHitRateMax: 0.2 } });
    for (let call = 0; call < 25; call++) await ask(ASKED);
    const report = semantic.report();
    expect(report.recommended).toBe(0.8);
    expect(report.thresholds.find(({ threshold }) => threshold === 0.9)).toMatchObject({ hits: 24, falseHits: 0 });
  });

  it('compares answers by the embedder where no judge is named', async () => {
    const { ask, semantic, mock } = setup({ shadow: true });
    mock.on('password').reply('answer A').then.reply('answer B').then.reply('something else');
    for (let call = 0; call < 3; call++) await ask(ASKED);
    expect(semantic.report()).toMatchObject({ hits: 2, falseHits: 1 });
  });
});

describe('memoryVectorIndex', () => {
  it('finds what a plain scan finds, inside one bucket, within its bound', () => {
    let state = 1;
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647 - 0.5;
    };
    const vector = (): Float32Array => Float32Array.from({ length: 17 }, random);
    const index = memoryVectorIndex({ entriesMax: 60 });
    const all = Array.from({ length: 100 }, (_, at) => ({ id: `v${at}`, bucket: `b${at % 2}`, vector: vector() }));
    for (const each of all) void index.add(each.bucket, each.id, each.vector);
    expect(index.size).toBe(60);
    for (const gone of ['v50', 'v99', 'v98']) void index.remove(`b${Number(gone.slice(1)) % 2}`, gone);
    const kept = all.slice(40).filter(({ id }) => !['v50', 'v99', 'v98'].includes(id));
    const length = (one: Float32Array) => Math.hypot(...one);
    for (let query = 0; query < 20; query++) {
      const asked = vector();
      const cosine = (one: Float32Array) =>
        one.reduce((sum, value, at) => sum + value * (asked[at] ?? 0), 0) / length(one) / length(asked);
      const expected = kept
        .filter(({ bucket }) => bucket === 'b1')
        .map(({ id, vector: one }) => ({ id, similarity: cosine(one) }))
        .filter(({ similarity }) => similarity >= 0.1)
        .sort((one, other) => other.similarity - one.similarity)
        .slice(0, 5);
      const found = index.search('b1', asked, { limit: 5, threshold: 0.1 }) as { id: string; similarity: number }[];
      expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      for (const [at, { similarity }] of found.entries())
        expect(similarity).toBeCloseTo(expected[at]?.similarity ?? 2, 4);
    }
    expect(index.search('b3', vector(), { limit: 5, threshold: -1 })).toEqual([]);
    expect(index.search('b1', new Float32Array(3), { limit: 5, threshold: -1 })).toEqual([]);
  });
});
