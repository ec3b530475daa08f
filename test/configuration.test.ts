import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createGateway, type GatewayOptions, type ModelsConfiguration } from '../src/index.ts';
import { retry, route } from '../src/middleware/index.ts';
import { createPriceTable } from '../src/pricing/index.ts';
import { fakeClock, mockProvider } from '../src/testing/index.ts';

const setUp = (models: ModelsConfiguration, options: GatewayOptions = {}) => {
  const clock = fakeClock();
  const mock = mockProvider({ name: 'p', models: ['a', 'listed'] });
  const gateway = createGateway({ providers: [mock], models, clock, ...options });
  const events: { revision: number; status: string; message?: string }[] = [];
  gateway.on('configuration', (event) => events.push(event));
  return { clock, mock, gateway, events };
};

describe('configure', () => {
  it('swaps the whole configuration at once: every lookup agrees (CFG-01)', async () => {
    const { gateway, mock } = setUp({ default: 'fast', fast: 'p/old' });
    mock.reply('ok');
    const revision = gateway.configure({ models: { default: 'fast', fast: ['p/new', 'p/old'], more: 'fast' } });
    for (const model of ['default', 'fast', 'more']) {
      const plan = gateway.explain({ model, prompt: 'hi' });
      expect(plan.revision).toBe(revision);
      expect(plan.candidates.map((one) => one.model)).toEqual(['new', 'old']);
      expect((await gateway.chat({ model, prompt: 'hi' })).target.model).toBe('new');
    }
    expect((await gateway.models()).map(({ name }) => name)).toEqual(['p/new', 'p/old', 'p/a', 'p/listed']);
  });

  it('lets calls in flight end with the configuration they began with (CFG-01)', async () => {
    const { gateway, mock, clock } = setUp({ default: ['p/first', 'p/second'] });
    mock.on({ model: 'first' }).delay(1_000).fail(503);
    mock.on({ model: 'second' }).reply('ok');
    const flying = gateway.chat('hi');
    await clock.advance(10);
    gateway.configure({ models: { default: 'p/other' } });
    const response = await clock.settled(flying);
    expect(response.target.model).toBe('second');
  });

  it('refuses a bad version whole, says where, and keeps the old one', () => {
    const { gateway, events } = setUp({ default: 'p/old' });
    const bad = { default: { strategy: 'wieghted', targets: ['p/a'] } };
    expect(() => gateway.configure({ models: bad as never })).toThrow(
      /models\.default\.strategy.*Did you mean weighted/,
    );
    expect(gateway.explain('hi').candidates[0]?.model).toBe('old');
    expect(events).toEqual([
      { revision: 1, status: 'refused', message: expect.stringContaining('models.default.strategy') },
    ]);
  });

  it('refuses masked previews and null, and keeps what is left out (CFG-02)', () => {
    const { gateway } = setUp({ default: 'p/old' });
    for (const [next, path] of [
      [{ models: { default: { target: 'p/a', credential: '****' } } }, 'models.default.credential'],
      [{ models: { default: 'sk-1234…' } }, 'models.default'],
      [{ models: null }, 'models'],
      [{ options: { retry: null } }, 'options.retry'],
      [{ providers: [] }, 'providers'],
    ] as const) {
      expect(() => gateway.configure(next as never)).toThrowError(
        expect.objectContaining({ code: 'invalid-options', field: path }),
      );
    }
    gateway.configure({});
    expect(gateway.explain('hi').candidates[0]?.model).toBe('old');
  });

  it('BUD-05: refuses options for a middleware that would not read them, at creation and later', () => {
    const use = [retry(), route()];
    const providers = [mockProvider({ name: 'p' })];
    for (const [options, field] of [
      [{ retry: { baseMs: 5 } }, 'options.retry'],
      [{ route: {} }, 'options.route'],
      [{ budget: { limits: [] } }, 'options.budget'],
    ] as const) {
      const refused = expect.objectContaining({ code: 'invalid-options', field });
      expect(() => createGateway({ providers, use, options })).toThrow(refused);
      expect(() => createGateway({ providers, use }).configure({ options })).toThrow(refused);
    }
  });

  it('keeps the memory of a group over a change', async () => {
    const turns = { default: { strategy: 'round-robin' as const, targets: ['p/a', 'p/b'] } };
    const { gateway, mock } = setUp(turns);
    mock.reply('ok');
    expect((await gateway.chat('hi')).target.model).toBe('a');
    gateway.configure({ models: turns });
    expect((await gateway.chat('hi')).target.model).toBe('b');
  });
});

describe('watch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-watch-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const modelOf = (gateway: ReturnType<typeof setUp>['gateway']) => gateway.explain('hi').candidates[0]?.model;

  it('applies a file and its next version; a bad one changes nothing and is told', async () => {
    const path = join(folder, 'models.json');
    writeFileSync(path, JSON.stringify({ models: { default: 'p/one' } }));
    const { gateway, events } = setUp({ default: 'p/zero' });
    const watching = gateway.watch(path);
    await watching.ready;
    expect(modelOf(gateway)).toBe('one');
    expect(await watching.check()).toBe(false);
    writeFileSync(path, JSON.stringify({ models: { default: { target: 'p/x', weihgt: 1 } } }));
    await expect(watching.check()).rejects.toThrow('models.default.weihgt');
    writeFileSync(path, '{ "models": { "default": "p/secret');
    await expect(watching.check()).rejects.toThrow('no JSON');
    expect(modelOf(gateway)).toBe('one');
    writeFileSync(path, JSON.stringify({ models: { default: 'p/two' } }));
    expect(await watching.check()).toBe(true);
    expect(modelOf(gateway)).toBe('two');
    watching.close();
    expect(events.map(({ status }) => status)).toEqual(['applied', 'refused', 'refused', 'applied']);
    expect(events.map(({ message }) => message ?? '').join()).not.toContain('secret');
  });

  it('asks an address again with its ETag, on the clock, until it is closed', async () => {
    const asked: (string | null)[] = [];
    let body = JSON.stringify({ models: { default: 'p/one' } });
    let version = '"1"';
    const fetch = async (_url: unknown, init?: RequestInit) => {
      const given = new Headers(init?.headers).get('if-none-match');
      asked.push(given);
      if (given === version) return new Response(null, { status: 304 });
      return new Response(body, { headers: { etag: version } });
    };
    const { gateway, clock } = setUp({ default: 'p/zero' });
    const watching = gateway.watch('https://config.test/models.json', {
      everyMs: 1_000,
      fetch: fetch as typeof globalThis.fetch,
    });
    await watching.ready;
    expect(modelOf(gateway)).toBe('one');
    await clock.advance(1_000);
    [body, version] = [JSON.stringify({ models: { default: 'p/two' } }), '"2"'];
    await clock.advance(1_000);
    expect(modelOf(gateway)).toBe('two');
    watching.close();
    await clock.advance(5_000);
    expect(asked).toEqual([null, '"1"', '"1"']);
    expect(clock.pending).toBe(0);
    expect(() => gateway.watch('http://config.test/x.json')).toThrow('https');
  });

  it('keeps on after a failure of the network', async () => {
    let up = false;
    const fetch = async () => {
      if (!up) throw new TypeError('fetch failed');
      return new Response(JSON.stringify({ models: { default: 'p/one' } }));
    };
    const { gateway, clock, events } = setUp({ default: 'p/zero' });
    const watching = gateway.watch('https://config.test/models.json', {
      everyMs: 1_000,
      fetch: fetch as typeof globalThis.fetch,
    });
    await expect(watching.ready).rejects.toThrow('fetch failed');
    up = true;
    await clock.advance(1_000);
    expect(modelOf(gateway)).toBe('one');
    expect(events.map(({ status }) => status)).toEqual(['refused', 'applied']);
    await gateway.close();
  });
});

describe('models', () => {
  it('merges aliases, what providers list and what the catalogue knows', async () => {
    const mock = mockProvider({ name: 'openai', models: ['gpt-4o'] });
    const gateway = createGateway({
      providers: [mock],
      models: { big: { target: 'openai/gpt-4o', region: 'eu', limits: { output: 5 } }, ft: 'openai/my-own' },
      catalogue: createPriceTable(),
    });
    const [big, own] = await gateway.models();
    expect(big).toMatchObject({
      name: 'openai/gpt-4o',
      aliases: ['big'],
      listed: true,
      regions: ['eu'],
      limits: { context: 128_000, output: 5 },
      notices: [],
    });
    expect(big?.price?.input).toBeGreaterThan(0);
    expect(own).toMatchObject({ name: 'openai/my-own', aliases: ['ft'], listed: false, notices: [] });
  });

  it('warns of a model that retires, once a day, as long as somebody listens', async () => {
    const { gateway, mock, clock } = setUp({ default: { target: 'p/a', retiresOn: '2026-01-20' } });
    mock.reply('ok');
    const warnings: string[] = [];
    gateway.on('warning', ({ warning }) => void (warning.code === 'deprecated' && warnings.push(warning.message)));
    await gateway.chat('hi');
    await gateway.chat('hi');
    expect(warnings).toEqual(['p/a (alias default) retires on 2026-01-20, in 19 days; name its successor']);
    await clock.advance(20 * 86_400_000);
    await gateway.chat('hi');
    expect(warnings.at(-1)).toContain('was retired on 2026-01-20');
    expect((await gateway.models())[0]?.notices).toHaveLength(1);
  });
});

describe('the cheapest target', () => {
  it('waits for the bundled prices when the configuration names none', async () => {
    const mock = mockProvider({ name: 'openai' });
    mock.reply('ok');
    const gateway = createGateway({
      providers: [mock],
      models: { default: { strategy: 'cheapest', targets: ['openai/gpt-4o', 'openai/gpt-4o-mini'] } },
    });
    expect((await gateway.chat('hi')).target.model).toBe('gpt-4o-mini');
    expect((await gateway.chat({ prompt: 'hi' })).target.model).toBe('gpt-4o-mini');
  });

  it('is what a stack without route takes, too', async () => {
    const mock = mockProvider({ name: 'p' });
    mock.reply('ok');
    const gateway = createGateway({
      providers: [mock],
      models: { default: { strategy: 'round-robin', targets: ['p/a', 'p/b'] } },
      use: [],
    });
    expect([(await gateway.chat('1')).target.model, (await gateway.chat('2')).target.model]).toEqual(['a', 'b']);
  });
});
