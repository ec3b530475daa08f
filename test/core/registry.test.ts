import { describe, expect, it } from 'vitest';
import { defineProvider } from '../../src/core/provider.ts';
import { compileRegistry } from '../../src/core/registry.ts';

const provider = (name: string, models?: string[], embed = false) =>
  defineProvider({
    name,
    protocols: [],
    ...(models !== undefined && { models: () => models }),
    handlers: {
      chat: async () => {
        throw new Error('unused');
      },
      ...(embed && {
        embed: async () => {
          throw new Error('unused');
        },
      }),
    },
  });
const providers = new Map([
  ['openai', provider('openai', ['gpt-a', 'shared'], true)],
  ['anthropic', provider('anthropic', ['claude-a', 'shared'])],
]);
const compile = (models: Parameters<typeof compileRegistry>[0]) => compileRegistry(models, providers, 3);
const names = (plan: { candidates: readonly { provider: string; model: string }[] }) =>
  plan.candidates.map((c) => `${c.provider}/${c.model}`);

describe('a registry', () => {
  it('resolves aliases, aliases of aliases, provider/model and bare listed models', () => {
    const registry = compile({
      default: 'fast',
      fast: ['openai/gpt-a', 'anthropic/claude-a'],
      own: { target: 'openai/ft:x/y', region: 'eu' },
    });
    expect(names(registry.resolve('default', 'chat'))).toEqual(['openai/gpt-a', 'anthropic/claude-a']);
    expect(registry.resolve('default', 'chat')).toMatchObject({ alias: 'default', revision: 3 });
    expect(names(registry.resolve('own', 'chat'))).toEqual(['openai/ft:x/y']);
    expect(registry.resolve('own', 'chat').candidates[0]).toMatchObject({ region: 'eu', id: 'openai/ft:x/y@eu' });
    expect(names(registry.resolve('openai/any-model', 'chat'))).toEqual(['openai/any-model']);
    expect(names(registry.resolve('gpt-a', 'chat'))).toEqual(['openai/gpt-a']);
  });

  it('makes losers of absent providers and of those that lack the operation', () => {
    const registry = compile({ fast: ['groq/llama', 'anthropic/claude-a', 'openai/gpt-a'] });
    const plan = registry.resolve('fast', 'embed');
    expect(names(plan)).toEqual(['openai/gpt-a']);
    expect(plan.losers).toEqual([
      { target: 'groq/llama', reason: 'provider groq is not configured' },
      { target: 'anthropic/claude-a', reason: 'provider anthropic does not do embed' },
    ]);
  });

  it('names the field and the fix for a model it does not know', () => {
    const registry = compile({ fast: 'openai/gpt-a' });
    for (const [name, hint] of [
      ['fsat', 'Did you mean fast?'],
      ['opnai/x', 'Did you mean openai?'],
      ['shared', 'provider/model'],
      ['default', 'no alias "default"'],
    ] as const) {
      expect(() => registry.resolve(name, 'chat')).toThrowError(
        expect.objectContaining({ code: 'not-found', field: 'model', message: expect.stringContaining(hint) }),
      );
    }
  });

  it('refuses bad configuration with its path', () => {
    const bad: [never, string][] = [
      [{ a: 'b', b: 'a' } as never, 'circle'],
      [{ 'x/y': 'openai/a' } as never, 'without "/"'],
      [{ fast: [] } as never, 'at least one target'],
      [{ fast: ['openai/a', { target: 'openai/b', wieght: 2 }] } as never, 'models.fast[1].wieght'],
      [{ fast: 'shared' } as never, 'openai and anthropic'],
      [{ fast: 'gpt-nowhere' } as never, 'models.fast'],
      [{ fast: { target: 'openai/a', weight: -1 } } as never, 'models.fast.weight'],
      [{ fast: { target: 'openai/a', overrides: { temprature: 1 } } } as never, 'Did you mean temperature?'],
      [{ fast: { target: 'openai/a', overrides: { topP: 7 } } } as never, 'models.fast.overrides.topP'],
      [{ fast: { target: 'openai/a', overrides: { prompt: 'x' } } } as never, 'models.fast.overrides.prompt'],
      [{ fast: { target: 'openai/a', unsupported: ['topk'] } } as never, 'models.fast.unsupported[0]'],
    ];
    for (const [models, part] of bad) {
      expect(() => compile(models)).toThrowError(
        expect.objectContaining({ code: 'invalid-options', message: expect.stringContaining(part) }),
      );
    }
  });

  it('takes overrides as short as a call may write them', () => {
    const registry = compile({ fast: { target: 'openai/gpt-a', overrides: { stop: 'END', dimensions: 8 } } });
    expect(registry.resolve('fast', 'chat').candidates[0]?.overrides?.request).toEqual({
      stop: ['END'],
      dimensions: 8,
    });
  });

  it('overrides of an outer alias win over the inner one', () => {
    const registry = compile({
      inner: { target: 'openai/gpt-a', overrides: { maxTokens: 5, temperature: 0 } },
      outer: { target: 'inner', overrides: { maxTokens: 9 } },
    });
    expect(registry.resolve('outer', 'chat').candidates[0]?.overrides).toEqual({
      request: { maxTokens: 9, temperature: 0 },
    });
  });
});
