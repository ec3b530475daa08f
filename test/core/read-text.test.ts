import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { readText } from '../../src/core/read-text.ts';
import { wireResponse } from '../../src/core/transport.ts';

const TARGET = { provider: 'openai', model: 'gpt-test' };
const inPieces = (bytes: Uint8Array, size: number) =>
  wireResponse(
    new Response(
      new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      }),
    ),
  );

describe('readText', () => {
  it('puts characters together wherever the network split them', async () => {
    const text = 'ä€😀 and so on';
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 2, 3, 5, bytes.length]) {
      expect(await readText(inPieces(bytes, size), TARGET, 'fail'), `pieces of ${size}`).toBe(text);
    }
    expect(await readText(inPieces(new Uint8Array(), 1), TARGET, 'fail')).toBe('');
  });

  it('keeps the beginning of what is too long, without half a character, or refuses it', async () => {
    const maximum = LIMITS.errorBodyBytesMax;
    const bytes = new TextEncoder().encode('€'.repeat(maximum));
    const text = await readText(inPieces(bytes, 1_000), TARGET, 'cut');
    expect(text).toMatch(/^€+$/);
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(maximum);
    expect(text.length).toBe(Math.floor((Math.floor(maximum / 1_000) * 1_000) / 3));
  });
});
