import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGateway } from '../../src/index.ts';
import { cascade, type CascadeOptions, meter, retry, route } from '../../src/middleware/index.ts';
import { middlewareContract, mockProvider } from '../../src/testing/index.ts';

const setUp = (options: Partial<CascadeOptions> = {}) => {
  const mock = mockProvider({ name: 'p' });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'p/small', smart: 'p/large' },
    use: [meter(), cascade({ from: 'default', to: 'smart', ...options }), retry(), route()],
  });
  return { mock, gateway };
};

describe('cascade', () => {
  for (const { name, run } of middlewareContract(() => cascade({ from: 'probe/n', to: 'probe/m' }))) it(name, run);

  it('keeps an answer that will do', async () => {
    const { mock, gateway } = setUp();
    mock.reply('fine');
    expect((await gateway.chat('x')).target.model).toBe('small');
    expect(mock.calls).toHaveLength(1);
  });

  it('asks the strong model when your check refuses the answer, and shows both', async () => {
    const { mock, gateway } = setUp({ accept: ({ message }) => !JSON.stringify(message).includes('not sure') });
    mock.on({ model: 'small' }).reply('I am not sure.');
    mock.on({ model: 'large' }).reply('It is 42.');
    const response = await gateway.chat('x');
    expect(response.text).toBe('It is 42.');
    expect(response.attempts.map(({ target }) => target.model)).toEqual(['small', 'large']);
    expect(response.attempts[0]?.next).toBe('cascade: smart');
  });

  it('shows what both answers cost, and beforehand what the second one would', async () => {
    const price = { input: 1, output: 1 };
    const mock = mockProvider({ name: 'p' });
    mock.reply({ text: 'x', usage: { input: 10, output: 5 } });
    const gateway = createGateway({
      providers: [mock],
      models: { default: { target: 'p/small', price }, smart: { target: 'p/large', price: { input: 10, output: 10 } } },
      use: [meter(), cascade({ from: 'default', to: 'smart', accept: () => false }), retry(), route()],
    });
    const told = gateway.explain({ prompt: 'x', maxTokens: 100 }).middleware[1];
    expect(told?.summary).toMatch(/^asks smart if the answer will not do \(\$[\d.]+ to \$[\d.]+ more\)$/);
    expect(told?.details?.['secondAnswer']).toMatchObject({ highUsd: expect.closeTo(0.001, 4) });
    const { cost } = await gateway.chat('x');
    expect(cost).toMatchObject({ spentNanoUsd: 165_000n, wastedNanoUsd: 15_000n });
  });

  it('asks the strong model when the answer breaks the schema', async () => {
    const { mock, gateway } = setUp();
    mock.on({ model: 'small' }).reply('{"city": 7}');
    mock.on({ model: 'large' }).reply('{"city": "Oslo"}');
    const response = await gateway.chat({ prompt: 'x', output: z.object({ city: z.string() }) });
    expect(response.output).toEqual({ city: 'Oslo' });
    expect(response.target.model).toBe('large');
  });

  it('lets streams and other names pass', async () => {
    const { mock, gateway } = setUp({ accept: () => false });
    mock.reply('x');
    for await (const _text of gateway.stream('x').text);
    expect((await gateway.chat({ model: 'p/other', prompt: 'x' })).target.model).toBe('other');
    expect(mock.calls).toHaveLength(2);
  });
});
