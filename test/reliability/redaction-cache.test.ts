import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { cache } from '../../src/middleware/cache.ts';
import { redact } from '../../src/middleware/redact.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';

function setup() {
  const mock = mockProvider();
  mock.otherwise.reply((call) => `You said: ${call.text}`);
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/m' },
    use: [redact(), cache(), retry({ baseMs: 0 }), route()],
  });
  const ask = (tenant: string | undefined, user: string, prompt: string) =>
    gateway.with({ scope: tenant === undefined ? { user } : { tenant, user } }).chat(prompt);
  return { mock, ask };
}

describe('redact outside cache', () => {
  it('hits for equal prompts of one tenant that hold personal data, of two tenants never', async () => {
    const { mock, ask } = setup();
    const prompt = 'Write to ann@example.com about card 4111 1111 1111 1111.';
    for (const user of ['a', 'b', 'c']) expect((await ask('acme', user, prompt)).text).toBe(`You said: ${prompt}`);
    expect(mock.calls).toHaveLength(1);
    expect((await ask('globex', 'a', prompt)).text).toBe(`You said: ${prompt}`);
    expect((await ask(undefined, 'a', prompt)).text).toBe(`You said: ${prompt}`);
    expect(mock.calls).toHaveLength(3);
    // Another person in the same sentence is another prompt.
    expect((await ask('acme', 'a', prompt.replace('ann', 'bob'))).text).toContain('bob@example.com');
    expect(mock.calls).toHaveLength(4);
  });

  it('gives every caller its own values, hit or not', async () => {
    const { mock, ask } = setup();
    const turn = fc.tuple(fc.constantFrom('acme', 'globex', undefined), fc.integer({ min: 0, max: 6 }));
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 12 }), async (turns) => {
        const answers = await Promise.all(turns.map(([tenant, n]) => ask(tenant, `u${n}`, `I am p${n}@example.com.`)));
        turns.forEach(([tenant, n], index) => {
          expect(answers[index]?.text).toBe(`You said: I am p${n}@example.com.`);
          seen.add(`${tenant} ${n}`);
        });
      }),
      { seed: 8, numRuns: size(30, 500) },
    );
    // Asked once for each tenant and value, or a few times where equal calls ran at once.
    expect(mock.calls.length).toBeGreaterThanOrEqual(seen.size);
    const again = mock.calls.length;
    await ask('acme', 'x', 'I am p0@example.com.');
    expect(mock.calls).toHaveLength(seen.has('acme 0') ? again : again + 1);
  });
});
