import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../src/core/errors.ts';
import type { ChatRequest } from '../../src/operations/chat.ts';
import { estimateTokens } from '../../src/operations/estimate-tokens.ts';
import { estimateRequest } from '../../src/pricing/estimate-request.ts';
import { type ChatPrompt, type EncodingName, gptCounter } from '../../src/pricing/gpt-counter.ts';
import { imageSize } from '../../src/pricing/image-size.ts';
import { splitRuns } from '../../src/pricing/split-runs.ts';

const PNG = btoa('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\xe8\0\0\x02\xee\x08\x06\0\0\0');

describe('estimateTokens', () => {
  it('is near the truth for prose, code and other scripts', () => {
    // Counted with gpt-tokenizer 4.0.0, o200k_base.
    for (const [text, tokens] of [
      ['The quick brown fox jumps over 13 lazy dogs.', 11],
      ['export function compose(layers: readonly Layer[]): Handler { return layers[0]; }', 16],
      ['你今天遇到什么有趣的事情了吗？', 11],
    ] as const) {
      expect(Math.abs(estimateTokens(text) - tokens) / tokens, text).toBeLessThan(0.4);
    }
  });

  it('is 0 for nothing and at least 1 for anything', () => {
    expect([estimateTokens(''), estimateTokens(' '), estimateTokens('a')]).toEqual([0, 1, 1]);
  });

  it('grows with hostile text and stays linear', () => {
    expect(estimateTokens('a'.repeat(2_000_000))).toBeGreaterThan(100_000);
    expect(estimateTokens('\ud800'.repeat(1000))).toBeGreaterThan(500);
  });
});

describe('estimateRequest', () => {
  const request = (more: Partial<ChatRequest>): ChatRequest => ({ model: 'm', messages: [], ...more });
  const user = (content: never): ChatRequest => request({ messages: [{ role: 'user', content }] });

  it('counts every text, tool and part of a request', () => {
    const plain = user([{ type: 'text', text: 'What is the weather in Paris today?' }] as never);
    const base = estimateRequest(plain);
    expect(base).toBeGreaterThan(10);
    expect(estimateRequest({ ...plain, system: [{ type: 'text', text: 'Answer in one word.' }] })).toBeGreaterThan(
      base + 4,
    );
    const input = { type: 'object', properties: { city: { type: 'string', description: 'Name of the city' } } };
    expect(estimateRequest({ ...plain, tools: [{ type: 'function', name: 'weather', input }] })).toBeGreaterThan(
      base + 20,
    );
    expect(estimateRequest(plain, { count: () => 1000 })).toBe(1007);
  });

  it('weighs images by their size and what cannot be seen by a constant', () => {
    const image = (data: string, detail?: string): number =>
      estimateRequest(user([{ type: 'image', source: { kind: 'base64', data }, ...(detail && { detail }) }] as never));
    expect(imageSize(PNG)).toEqual({ width: 1000, height: 750 });
    expect(image(PNG)).toBe(1007);
    expect(image(PNG, 'low')).toBe(92);
    expect(image('not an image')).toBe(1107);
  });

  it('reads the size of GIF, WebP and JPEG', () => {
    const jpeg = '\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\x01\x2c\x01\x90\x03\0\0\0';
    expect(imageSize(btoa(jpeg))).toEqual({ width: 400, height: 300 });
    expect(imageSize(btoa('GIF89a\x90\x01\x2c\x01'.padEnd(24, '\0')))).toEqual({ width: 400, height: 300 });
    expect(imageSize(btoa('RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x8f\x01\0\x2b\x01\0'.padEnd(32, '\0')))).toEqual({
      width: 400,
      height: 300,
    });
    expect(imageSize(btoa('\xff\xd8'.padEnd(40, '\0')))).toBeUndefined();
  });
});

describe('gptCounter', () => {
  it('counts 50,000 times one letter, space or sign in bounded time', async () => {
    const counter = await gptCounter();
    for (const text of ['a', ' ', '!', '1', 'é', '😀', 'aA', '!é', '\n']) {
      const before = performance.now();
      expect(counter.count(text.repeat(50_000 / text.length))).toBeGreaterThan(100);
      // Generous beside the few milliseconds it takes; uncut, one letter takes two seconds.
      expect(performance.now() - before, JSON.stringify(text)).toBeLessThan(500);
    }
  });

  it('cuts runs without losing a character or splitting a pair', () => {
    const text = `${'a'.repeat(1000)}${'😀'.repeat(700)} ${'-'.repeat(50)}`;
    const pieces = splitRuns(text, 100);
    expect(pieces.join('')).toBe(text);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(101);
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
    expect(splitRuns('a normal text of words', 16)).toHaveLength(1);
  });

  it('estimates what is beyond its cap and says so', async () => {
    const counter = await gptCounter({ inputCharactersMax: 10 });
    expect(counter.measure('ten chars.')).toMatchObject({ exact: true });
    expect(counter.measure('ten chars. and more words than that')).toMatchObject({ exact: false });
  });

  it('knows the encoding of a model and refuses wrong options', async () => {
    expect((await gptCounter({ model: 'openai/gpt-4-turbo' })).encoding).toBe('cl100k_base');
    expect((await gptCounter({ model: 'gpt-4.1-mini' })).encoding).toBe('o200k_base');
    for (const options of [{ runMax: 5000 }, { inputCharactersMax: -1 }, { encoding: 'none' as never }]) {
      const refused = await gptCounter(options).catch((error: unknown) => error);
      expect(isGatewayError(refused, 'invalid-options')).toBe(true);
    }
  });
});

const file = new URL('../../../shared/fixtures/tokens/tokens-dev.jsonl', import.meta.url);
describe.skipIf(!existsSync(file))('the token fixtures (skipped when ../shared/fixtures is absent)', () => {
  interface Row {
    readonly id: string;
    readonly encoding: EncodingName;
    readonly text?: string;
    readonly request?: ChatPrompt;
    readonly tokens: number;
  }

  it('are counted exactly, texts and whole chat requests', async () => {
    const wrong: string[] = [];
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const row = JSON.parse(line) as Row;
      // The chat rows say cl100k, but their source counts them with gpt-4o, whose encoding is o200k.
      const counter = await gptCounter({ encoding: row.request === undefined ? row.encoding : 'o200k_base' });
      const counted = row.request === undefined ? counter.count(row.text ?? '') : counter.countChat(row.request);
      if (counted !== row.tokens) wrong.push(`${row.id}: ${counted}, not ${row.tokens}`);
    }
    expect(wrong).toEqual([]);
  });
});
