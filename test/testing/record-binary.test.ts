import OpenAI from 'openai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { record, replay } from '../../src/testing/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-tape-binary-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const KEY = 'sk-proj-real-0123456789';
const clientOver = (fetch: typeof globalThis.fetch) =>
  new OpenAI({ apiKey: KEY, baseURL: 'https://api.example/v1', maxRetries: 0, fetch });
const noNetwork: typeof fetch = () => Promise.reject(new Error('there is no network'));
/** Every byte there is, in an order that is no UTF-8. */
const BYTES = Uint8Array.from({ length: 1_024 }, (_, index) => (index * 193 + 7) % 256);

function answering(type: string | undefined, pieces: readonly Uint8Array[]): typeof fetch {
  return async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    return new Response(body, { headers: type === undefined ? {} : { 'content-type': type } });
  };
}
const speech = { model: 'tts', voice: 'alloy', input: 'hello' } as const;

describe('a recorded binary answer', () => {
  it.each(['audio/mpeg', 'image/png', 'application/octet-stream', 'video/mp4', 'AUDIO/WAV; rate=16000'])(
    'is kept byte for byte: %s',
    async (type) => {
      const file = join(folder, `${type.replace(/\W/g, '-')}.jsonl`);
      // The second piece ends in the middle of a group of three bytes, and of a character.
      const pieces = [BYTES.subarray(0, 100), BYTES.subarray(100, 333), BYTES.subarray(333)];
      const tape = await record(file, { fetch: answering(type, pieces) });
      const live = await clientOver(tape.fetch).audio.speech.create(speech);
      expect(new Uint8Array(await live.arrayBuffer())).toEqual(BYTES);
      await tape.close();
      const again = await replay(file, { fetch: noNetwork });
      const played = await clientOver(again.fetch).audio.speech.create(speech);
      expect(played.headers.get('content-type')).toBe(type);
      expect(new Uint8Array(await played.arrayBuffer())).toEqual(BYTES);
      again.done();
      const [head, entry] = (await readFile(file, 'utf8')).trim().split('\n');
      expect(JSON.parse(head as string)).toMatchObject({ version: 1 });
      expect(JSON.parse(entry as string)).toMatchObject({
        encoding: 'base64',
        chunks: [{ length: 2 }, { length: 2 }, { length: 2 }],
      });
    },
  );

  it.each([
    'application/json',
    'application/problem+json',
    'text/plain; charset=utf-8',
    'application/x-ndjson',
    undefined,
  ])('is none where it is text: %s', async (type) => {
    const file = join(folder, `text-${String(type).replace(/\W/g, '-')}.jsonl`);
    const text = new TextEncoder().encode('{"naïve":"🦉"}');
    const tape = await record(file, { fetch: answering(type, [text.subarray(0, 5), text.subarray(5)]) });
    await (await tape.fetch('https://api.example/v1/files', { method: 'POST', body: '{}' })).text();
    await tape.close();
    const written = await readFile(file, 'utf8');
    expect(written).toContain('🦉');
    expect(written).not.toContain('encoding');
    const played = await (await replay(file)).fetch('https://api.example/v1/files', { method: 'POST', body: '{}' });
    expect(await played.json()).toEqual({ naïve: '🦉' });
  });

  it('is not recorded if it holds a secret, which bytes cannot be rid of', async () => {
    const file = join(folder, 'secret.jsonl');
    const hidden = Buffer.concat([BYTES, Buffer.from(KEY), BYTES]);
    // Half of it in one piece, half in the next.
    const fetch = answering('audio/mpeg', [hidden.subarray(0, 1_030), hidden.subarray(1_030)]);
    const tape = await record(file, { fetch });
    const live = await clientOver(tape.fetch).audio.speech.create(speech);
    expect(Buffer.from(await live.arrayBuffer())).toEqual(hidden);
    await tape.close();
    expect(tape.missing).toEqual([expect.stringContaining('holds a secret')]);
    expect(await readFile(file, 'utf8').catch(() => 'nothing')).toBe('nothing');
  });

  it('is not recorded if it was left before its end', async () => {
    const file = join(folder, 'left.jsonl');
    const tape = await record(file, { fetch: answering('audio/mpeg', [BYTES, BYTES]) });
    const reader = (await clientOver(tape.fetch).audio.speech.create(speech)).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await tape.close();
    expect(tape.missing).toEqual([expect.stringContaining('left or broke')]);
  });
});
