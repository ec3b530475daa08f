import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'sqlite-vec';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { route } from '../../src/middleware/route.ts';
import { semanticCache } from '../../src/middleware/semantic-cache.ts';
import { sqliteStore } from '../../src/stores/sqlite.ts';
import { sqliteVectorIndex } from '../../src/stores/sqlite-vectors.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { vectorIndexContract } from '../../src/testing/vector-index-contract.ts';

describe('sqliteVectorIndex', () => {
  const cases = vectorIndexContract(() => {
    const index = sqliteVectorIndex({ path: ':memory:', load, entriesMax: 8 });
    return { index, dispose: () => index.close() };
  });
  for (const { name, run } of cases) it(name, run);

  it('shares a file with other processes and with a store, so that hits outlive the process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-vectors-'));
    const path = join(folder, 'cache.db');
    const mock = mockProvider();
    mock.reply('Open Settings, then Password.');
    const embed = { id: 'same', embed: (texts: readonly string[]) => texts.map(() => [0.6, 0.8]) };
    const ask = async (prompt: string) => {
      const index = sqliteVectorIndex({ path, load });
      const store = sqliteStore({ path });
      const use = [semanticCache({ embed, index, store }), route()];
      const gateway = createGateway({ providers: [mock], models: { default: 'mock/any' }, use });
      const { cached } = await gateway.chat(prompt);
      await gateway.close();
      index.close();
      await store.close?.();
      return cached?.kind;
    };
    try {
      expect(await ask('How do I reset my password?')).toBeUndefined();
      expect(await ask('how do I reset my password')).toBe('semantic');
      expect(mock.calls).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses what it cannot use', () => {
    expect(() => sqliteVectorIndex({ path: '', load })).toThrow(/path/);
    expect(() => sqliteVectorIndex({ path: ':memory:', load: 1 as never })).toThrow(/load/);
    expect(() => sqliteVectorIndex({ path: ':memory:', load, entriesMax: 0 })).toThrow(/entriesMax/);
    const missing = (database: { loadExtension(path: string): void }) => database.loadExtension('/no/such/file');
    expect(() => sqliteVectorIndex({ path: ':memory:', load: missing })).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    );
    expect(() => sqliteVectorIndex({ path: ':memory:', load: () => undefined })).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    );
  });
});
