import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGateway, type Gateway, type ModelsConfiguration, type Provider } from '../../src/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { mockProvider } from '../../src/testing/index.ts';

/** What the compiler says is the test; `explain` runs each accepted line without a call. */
const mock = mockProvider();
const known = createGateway({
  providers: [mock, mockProvider({ name: 'other' })],
  models: {
    default: 'fast',
    fast: ['mock/quick', 'other/quick'],
    small: { target: 'mock/small', capabilities: [] },
    caller: { target: 'mock/caller', capabilities: ['tools'] },
    either: [
      { target: 'mock/small', capabilities: [] },
      { target: 'mock/large', capabilities: ['schema', 'tools'] },
    ],
    group: { strategy: 'weighted', targets: [{ target: 'mock/small', capabilities: [] }, 'small'] },
    through: 'small',
    ruled: { strategy: 'rules', rules: [{ when: { purpose: 'x' }, use: 'mock/a' }], otherwise: 'mock/b' },
  },
});
const output = z.object({ city: z.string() });
const tools = [{ name: 'find', input: { type: 'object' } }];
const prompt = 'x';

describe('a gateway whose configuration is written out', () => {
  it('takes its aliases and any model of its providers', () => {
    for (const plan of [
      known.explain('x'),
      known.explain([{ role: 'user', content: 'x' }]),
      known.explain({ prompt }),
      known.explain({ prompt, model: 'fast' }),
      known.explain({ prompt, model: 'mock/anything-new' }),
      known.explain({ prompt, model: 'other/quick' }),
      // A name that is known when it runs.
      known.explain({ prompt, model: 'fast' as string }),
      known.explain({ prompt, model: 'fast' as 'fast' | 'small' }),
    ])
      expect(plan.target?.provider).toMatch(/mock|other/);
  });

  it('refuses a name that is no alias and no model of a provider', () => {
    const missing = expect.objectContaining({ code: 'not-found' });
    // @ts-expect-error no such alias
    expect(() => known.explain({ prompt, model: 'fats' })).toThrow(missing);
    // @ts-expect-error no such provider
    expect(() => known.explain({ prompt, model: 'third/model' })).toThrow(missing);
    // @ts-expect-error one of the two is no alias
    expect(() => known.explain({ prompt, model: 'smal' as 'fast' | 'smal' })).toThrow(missing);
    // @ts-expect-error no such alias
    void (() => known.chat({ prompt, model: 'fats' }));
    // @ts-expect-error no such alias
    void (() => known.stream({ prompt, model: 'fats' }));
    // @ts-expect-error no such alias
    void (() => known.embed({ input: 'x', model: 'fats' }));
    void (() => known.embed({ input: 'x', model: 'fast' }));
    // @ts-expect-error there is no alias `default` to take
    void (() => createGateway({ providers: [mock], models: { fast: 'mock/a' } }).chat('x'));
  });

  it('refuses a schema or tools where no target declares them', () => {
    const { target } = known.explain({ prompt, model: 'fast', output, tools });
    expect(target).toBeDefined();
    expect(known.explain({ prompt, model: 'either', output, tools }).target?.model).toBe('large');
    expect(known.explain({ prompt, model: 'caller', tools }).target?.model).toBe('caller');
    expect(known.explain({ prompt, model: 'ruled', output }).target?.model).toBe('b');
    expect(known.explain({ prompt, model: 'mock/small', output }).target?.model).toBe('small');
    expect(known.explain({ prompt, model: 'small', output: 'text', tools: [] }).target?.model).toBe('small');
    const viaPrompt = { type: 'schema', schema: {}, via: 'prompt' } as const;
    expect(known.explain({ prompt, model: 'small', output: viaPrompt }).target?.model).toBe('small');
    for (const plan of [
      // @ts-expect-error small does no schema
      known.explain({ prompt, model: 'small', output }),
      // @ts-expect-error nor does what leads to it
      known.explain({ prompt, model: 'through', output }),
      // @ts-expect-error nor any of a group
      known.explain({ prompt, model: 'group', output }),
      // @ts-expect-error tools, but no schema
      known.explain({ prompt, model: 'caller', output }),
      // @ts-expect-error no JSON either
      known.explain({ prompt, model: 'small', output: 'json' }),
      // @ts-expect-error no tools
      known.explain({ prompt, model: 'small', tools }),
      // @ts-expect-error no tools written in place
      known.explain({ prompt, model: 'small', tools: [{ name: 'find' }] }),
      // @ts-expect-error tools, but none of the provider's own
      known.explain({ prompt, model: 'caller', tools: [{ type: 'hosted', tool: 'web_search' }] }),
    ])
      expect(plan.target).toBeUndefined();
  });

  it('keeps what it knows in a derived gateway, and learns new aliases', () => {
    const tenant = known.with({ scope: { tenant: 'a' } });
    expect(tenant.explain({ prompt, model: 'fast' }).target).toBeDefined();
    // @ts-expect-error still no such alias
    expect(() => tenant.explain({ prompt, model: 'fats' })).toThrow();
    const tested = known.with({ providers: mock.everywhere() });
    // @ts-expect-error still no such alias
    expect(() => tested.explain({ prompt, model: 'fats' })).toThrow();
    const others = known.with({ models: { cheap: 'mock/cheap' } });
    expect(others.explain({ prompt, model: 'cheap' }).target?.model).toBe('cheap');
    // @ts-expect-error an alias of before
    expect(() => others.explain({ prompt, model: 'fast' })).toThrow();
  });

  it('is a gateway like any other', () => {
    const any: Gateway = known;
    const asked = (gateway: Gateway): unknown => gateway.explain({ prompt, model: 'mock/any' }).target;
    expect(asked(known)).toEqual(asked(any));
    // With its type forgotten the names are only known when it runs.
    expect(() => any.explain({ prompt, model: 'fats' })).toThrow();
    const typed = async () =>
      (await known.chat({ prompt, model: 'either', output })).output?.city satisfies string | undefined;
    expect(typed).toBeTypeOf('function');
  });
});

describe('a configuration that is not written out', () => {
  it('leaves names open', () => {
    const models: ModelsConfiguration = { default: 'mock/a' };
    const loaded = createGateway({ providers: [mock], models });
    expect(() => loaded.explain({ prompt, model: 'fats' })).toThrow();
    expect(loaded.explain({ prompt, output }).target?.model).toBe('a');
    const parsed = JSON.parse('{"default":"mock/a"}') as Record<string, string>;
    expect(() => createGateway({ providers: [mock], models: parsed }).explain({ prompt, model: 'fats' })).toThrow();
    // Nothing configured: only wrapped clients, or bare names of models.
    void (() => createGateway().chat({ prompt, model: 'gpt-test' }));
    void (() => createGateway({ providers: [mock] }).chat({ prompt, model: 'gpt-test' }));
  });

  it('leaves the providers open where their names are', () => {
    const providers: readonly Provider[] = [mock];
    const gateway = createGateway({ providers, models: { default: 'mock/a' } });
    expect(gateway.explain({ prompt, model: 'mock/b' }).target?.model).toBe('b');
    expect(() => gateway.explain({ prompt, model: 'who/b' })).toThrow();
    // @ts-expect-error the aliases are known all the same
    expect(() => gateway.explain({ prompt, model: 'fats' })).toThrow();
  });
});

describe('providers know their names', () => {
  it('in the list they are made in', () => {
    const gateway = createGateway({
      providers: [
        openai({ apiKey: 'sk-test-0123456789' }),
        openaiCompatible({ name: 'local', baseURL: 'http://a.test' }),
      ],
      models: { default: 'openai/a' },
    });
    expect(gateway.explain({ prompt, model: 'local/b' }).target?.provider).toBe('local');
    // @ts-expect-error no such provider
    expect(() => gateway.explain({ prompt, model: 'anthropic/c' })).toThrow();
  });

  it('by default and by option', () => {
    const key = { apiKey: 'sk-test-0123456789' };
    expect(openai(key).name satisfies 'openai').toBe('openai');
    expect(openai({ ...key, name: 'house' }).name satisfies 'house').toBe('house');
    expect(anthropic(key).name satisfies 'anthropic').toBe('anthropic');
    expect(openaiCompatible({ ...key, name: 'groq' }).name satisfies 'groq').toBe('groq');
    expect(mock.name satisfies 'mock').toBe('mock');
  });
});
