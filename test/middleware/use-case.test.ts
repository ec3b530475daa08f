import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import type { LedgerRow } from '../../src/core/ledger.ts';
import { meter, retry, route, useCase, type UseCaseOptions } from '../../src/middleware/index.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
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

  it('ends with the call when that is aborted', async () => {
    const { clock, gateway } = setUp({ by: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const work = gateway.chat({ model: 'auto', prompt: 'x', signal: controller.signal });
    controller.abort();
    await expect(clock.settled(work)).rejects.toMatchObject({ code: 'aborted' });
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

  it('shows what deciding costs: in the rows, in response.cost, and beforehand in explain', async () => {
    const priced = (by: UseCaseOptions['by']) => {
      const mock = mockProvider({ name: 'p' });
      mock.reply({ text: 'code', usage: { input: 10, output: 1 } });
      const rows: LedgerRow[] = [];
      const prices = createPriceTable({ overrides: { 'p/*': { tokens: { input: '1', output: '1' } } } });
      const gateway = createGateway({
        providers: [mock],
        models: { auto: 'p/middle', cheap: 'p/small', smart: 'p/large', vectors: { target: 'p/e', price: PRICE } },
        clock: fakeClock(),
        use: [
          meter({ prices, sink: (row) => void rows.push(row) }),
          useCase({ for: 'auto', to, ...(by !== undefined && { by }) }),
          retry(),
          route(),
        ],
      });
      const paid = () =>
        rows.flatMap((row) => (row.kind === 'attempt' ? [[row.purpose, row.model, row.costNanoUsd]] : []));
      const summary = (request: object) =>
        gateway.explain({ model: 'auto', prompt: 'x', ...request }).middleware.find(({ name }) => name === 'use-case');
      return { gateway, paid, summary };
    };
    const PRICE = { input: 2, output: 0 };
    const asking = priced((request, { ask }) => ask('cheap', JSON.stringify(request.messages)));
    const { target, cost } = await asking.gateway.chat({ model: 'auto', prompt: 'x' });
    expect(target.model).toBe('large');
    expect(asking.paid()).toEqual([
      ['classification', 'small', 11_000n],
      [undefined, 'large', 11_000n],
    ]);
    expect(cost).toMatchObject({ spentNanoUsd: 22_000n, wastedNanoUsd: 0n });
    expect(asking.summary({})?.summary).toBe('by a function: summary to cheap, code to smart');

    const alike = priced({ embed: 'vectors', examples: { summary: ['summarise'], code: ['write'] }, threshold: 0 });
    const told = alike.summary({ prompt: 'river '.repeat(100) });
    const embedding = told?.details?.['embedding'] as { inputTokens: number; highUsd: number } | undefined;
    expect(embedding?.inputTokens).toBeGreaterThan(50);
    expect(embedding?.highUsd).toBeCloseTo(((embedding?.inputTokens ?? 0) * 2) / 1e6, 12);
    expect(told?.summary).toMatch(/; asks vectors first, about \d+ tokens, \$0\.000\d+$/);
    const answer = await alike.gateway.chat({ model: 'auto', prompt: 'x' });
    const spent = alike.paid().reduce((sum, [, , nanoUsd]) => sum + (nanoUsd as bigint), 0n);
    expect(alike.paid().map(([purpose]) => purpose)).toEqual(['embedding', 'embedding', undefined]);
    expect(answer.cost?.spentNanoUsd).toBe(spent);

    const declared = priced(undefined);
    expect(declared.summary({ purpose: 'code' })?.summary).toBe('purpose code: goes to smart');
    expect(declared.summary({})?.summary).toMatch(/^purpose not declared: stays/);
    expect(declared.summary({ model: 'smart', purpose: 'code' })?.summary).toBe('passes');
  });

  it('refuses models and use cases nobody knows, at creation', () => {
    expect(() => setUp({ to: { a: 'nowhere' } })).toThrow('nowhere');
    expect(() => setUp({ by: { embed: 'nowhere', examples: { code: ['x'] } } })).toThrow('nowhere');
    expect(() => useCase({ to, by: { embed: 'p/e', examples: { sumary: ['x'] } } })).toThrow(
      'useCase.by.examples.sumary',
    );
  });
});
