import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { route } from '../../src/middleware/route.ts';
import { semanticCache } from '../../src/middleware/semantic-cache.ts';
import { postgresVectorIndex } from '../../src/stores/postgres-vectors.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { vectorIndexContract } from '../../src/testing/vector-index-contract.ts';

describe('postgresVectorIndex on PGlite (PostgreSQL and pgvector in the process)', () => {
  let client: PGlite;
  let tables = 0;
  beforeAll(async () => {
    client = await PGlite.create({ extensions: { vector } });
  }, 60_000);
  afterAll(() => client.close());

  const cases = vectorIndexContract(() => ({
    index: postgresVectorIndex({ client, prefix: `t${tables++}_`, entriesMax: 8, timeoutMs: 10_000 }),
  }));
  for (const { name, run } of cases) it(name, run, 20_000);

  it('gives up a slow database, so that the call goes on without it', async () => {
    const clock = fakeClock();
    const never = { query: () => new Promise<never>(() => undefined) };
    const index = postgresVectorIndex({ client: never, create: false, clock, timeoutMs: 250 });
    const mock = mockProvider();
    mock.reply('live');
    const embed = { id: 'same', embed: (texts: readonly string[]) => texts.map(() => [0.6, 0.8]) };
    const gateway = createGateway({
      providers: [mock],
      models: { default: 'mock/any' },
      clock,
      use: [semanticCache({ embed, index }), route()],
    });
    const problems: string[] = [];
    gateway.on('problem', ({ stage }) => problems.push(stage));
    const began = clock.monotonic();
    expect((await clock.settled(gateway.chat('Hello'))).text).toBe('live');
    expect(clock.monotonic() - began).toBe(250);
    expect(problems).toEqual(['semantic cache']);
  });

  it('tries to make its table again after a failure', async () => {
    let failures = 1;
    const flaky = {
      query: async (text: string, values?: unknown[]) => {
        if (failures-- > 0) throw new Error('not now');
        return client.query(text, values);
      },
    };
    const index = postgresVectorIndex({ client: flaky, prefix: 'flaky_', timeoutMs: 10_000 });
    await expect(index.add('b', 'x', Float32Array.of(1, 0))).rejects.toThrow('not now');
    await index.add('b', 'x', Float32Array.of(1, 0));
    expect(await index.search('b', Float32Array.of(1, 0), { limit: 1, threshold: 0.9 })).toHaveLength(1);
  });

  it('refuses a prefix that is not a name, and no client', () => {
    expect(() => postgresVectorIndex({ client, prefix: 'a; DROP' })).toThrow(/prefix/);
    expect(() => postgresVectorIndex({ client: {} as never })).toThrow(/query/);
    expect(() => postgresVectorIndex({ client, timeoutMs: 0 })).toThrow(/timeoutMs/);
  });
});
