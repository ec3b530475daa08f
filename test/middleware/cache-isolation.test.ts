import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { cache } from '../../src/middleware/cache.ts';
import { dedupe } from '../../src/middleware/dedupe.ts';
import { route } from '../../src/middleware/route.ts';
import { semanticCache } from '../../src/middleware/semantic-cache.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { size } from '../size.ts';

interface Step {
  readonly tenant: string | undefined;
  readonly question: number;
  readonly stream: boolean;
  readonly waitMs: number;
}

const step = fc.record({
  tenant: fc.constantFrom('a', 'b', undefined, 'absent'),
  question: fc.integer({ min: 0, max: 4 }),
  stream: fc.boolean(),
  waitMs: fc.constantFrom(0, 0, 50, 400, 1_500),
});

/** What one tenant gets, call by call, when these steps are made. Answers number the tenant's own upstream calls. */
async function outputs(steps: readonly Step[], tenant: string): Promise<string[]> {
  const clock = fakeClock();
  const mock = mockProvider();
  const counts = new Map<unknown, number>();
  mock.reply(({ scope }) => {
    const count = (counts.get(scope.tenant) ?? 0) + 1;
    counts.set(scope.tenant, count);
    return `${String(scope.tenant)} ${count}`;
  });
  const same = { id: 'same', embed: (texts: readonly string[]) => texts.map(() => [1, 0]) };
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    clock,
    use: [
      cache({ store: memoryStore({ clock }), ttlMs: 1_000, staleWhileRevalidateMs: 500 }),
      semanticCache({ embed: same, ttlMs: 1_000 }),
      dedupe(),
      route(),
    ],
  });
  const seen: string[] = [];
  for (const { tenant: whose, question, stream, waitMs } of steps) {
    await clock.advance(waitMs);
    const scope = { scope: whose === undefined ? {} : { tenant: whose } };
    const prompt = `question ${question}`;
    const response = await (stream ? gateway.stream(prompt, scope).response : gateway.chat(prompt, scope));
    if (whose === tenant) seen.push(`${response.text} ${response.cached?.kind ?? ''} ${response.cached?.ageMs ?? ''}`);
    else expect(response.text.startsWith(String(whose))).toBe(true);
  }
  await gateway.close();
  return seen;
}

describe('tenants and every kind of cache at once', () => {
  it(
    'do not notice each other: the same outputs with and without the others (invariant 10, CACHE-01, SEC-02)',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
          // Time passes alike; the others' calls alone are left out.
          const alone: Step[] = [];
          let waited = 0;
          for (const each of steps) {
            waited += each.waitMs;
            if (each.tenant !== 'a') continue;
            alone.push({ ...each, waitMs: waited });
            waited = 0;
          }
          expect(await outputs(steps, 'a')).toEqual(await outputs(alone, 'a'));
        }),
        { seed: 3, numRuns: size(40, 2_000) },
      );
    },
    size(20_000, 600_000),
  );
});
