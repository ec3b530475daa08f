import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { retry, route, useCase, type UseCaseOptions } from '../../src/middleware/index.ts';
import { fakeClock, middlewareContract, mockProvider } from '../../src/testing/index.ts';

const to = { summary: 'cheap', code: 'smart' };
const setUp = (options: Partial<UseCaseOptions> = {}) => {
  const clock = fakeClock();
  const mock = mockProvider({ name: 'p' });
  const gateway = createGateway({
    providers: [mock],
    models: { auto: 'p/middle', cheap: 'p/small', smart: 'p/large' },
    clock,
    use: [useCase({ for: 'auto', to, ...options }), retry(), route()],
  });
  mock.reply('ok');
  const target = async (request: object) =>
    (await clock.settled(gateway.chat({ model: 'auto', prompt: 'x', ...request }))).target.model;
  return { clock, mock, gateway, target };
};
/** Letters as directions: texts with the same words are alike. */
const embedder = {
  id: 'letters',
  embed: (texts: readonly string[]) =>
    texts.map((text) => {
      const vector = new Float32Array(26);
      for (const letter of text.toLowerCase()) {
        const index = letter.charCodeAt(0) - 97;
        if (index >= 0 && index < 26) vector[index] = (vector[index] as number) + 1;
      }
      return vector;
    }),
};

describe('useCase', () => {
  for (const { name, run } of middlewareContract(() => useCase({ to: { other: 'probe/m' } }))) it(name, run);

  it('goes by the declared purpose, and leaves calls without one and other names alone', async () => {
    const { target, gateway } = setUp();
    expect(await target({ purpose: 'summary' })).toBe('small');
    expect(await target({ purpose: 'code' })).toBe('large');
    expect(await target({ purpose: 'unknown' })).toBe('middle');
    expect(await target({})).toBe('middle');
    expect((await gateway.chat({ model: 'smart', prompt: 'x', purpose: 'summary' })).target.model).toBe('large');
  });

  it('goes by a function, and stays when it throws or takes too long', async () => {
    const { target, gateway } = setUp({
      by: async (request, { signal }) => {
        const text = JSON.stringify(request.messages);
        if (text.includes('boom')) throw new Error('broken');
        if (text.includes('slow'))
          return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        return text.includes('function') ? 'code' : undefined;
      },
    });
    const problems: string[] = [];
    gateway.on('problem', ({ stage }) => problems.push(stage));
    expect(await target({ prompt: 'a function please' })).toBe('large');
    expect(await target({ prompt: 'boom' })).toBe('middle');
    expect(await target({ prompt: 'slow' })).toBe('middle');
    expect(problems).toEqual(['use-case', 'use-case']);
  });

  it('goes by likeness to examples, asked of a model behind the gateway or an embedder', async () => {
    const examples = { summary: ['summarise summarise'], code: ['write code'] };
    const { target } = setUp({ by: { embed: embedder, examples, threshold: 0.9 } });
    expect(await target({ prompt: 'summarise' })).toBe('small');
    expect(await target({ prompt: 'code write' })).toBe('large');
    expect(await target({ prompt: 'zzz' })).toBe('middle');
    const behind = setUp({ by: { embed: 'p/embedding', examples, threshold: 0 } });
    await behind.target({ prompt: 'anything' });
    expect(behind.mock.calls.filter(({ model }) => model === 'embedding')).toHaveLength(2);
    await behind.target({ prompt: 'more' });
    // Examples are embedded once.
    expect(behind.mock.calls.filter(({ model }) => model === 'embedding')).toHaveLength(3);
  });

  it('refuses models and use cases nobody knows, at creation', () => {
    expect(() => setUp({ to: { a: 'nowhere' } })).toThrow('nowhere');
    expect(() => useCase({ to, by: { embed: 'p/e', examples: { sumary: ['x'] } } })).toThrow(
      'useCase.by.examples.sumary',
    );
  });
});
