import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Configuration, createGateway } from '../../src/index.ts';
import { mockProvider } from '../../src/testing/index.ts';

const GUIDES = resolve(import.meta.dirname, '../../docs/guides');
const providers = ['openai', 'openai-eu', 'anthropic'].map((name) => mockProvider({ name }));
const examples = readdirSync(GUIDES).flatMap((page) => {
  const text = readFileSync(join(GUIDES, page), 'utf8');
  return [...text.matchAll(/^```json\n([\s\S]*?)^```/gm)].flatMap(([, json = '']) => {
    const value = JSON.parse(json) as Configuration;
    return value.models === undefined ? [] : [{ page, value }];
  });
});

describe('the JSON on the pages of the guides', () => {
  it('is there', () => {
    expect(new Set(examples.map(({ page }) => page)).size).toBeGreaterThanOrEqual(3);
  });
  for (const { page, value } of examples) {
    it(`of ${page} is a configuration of which every alias resolves`, () => {
      const gateway = createGateway({ providers });
      gateway.configure(value);
      for (const model of Object.keys(value.models ?? {})) {
        expect(gateway.explain({ model, prompt: 'x', scope: { user: 'u', session: 's' } }).target).toBeDefined();
      }
    });
  }
});
