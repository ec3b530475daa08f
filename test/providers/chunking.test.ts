import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import type { ChatEvent } from '../../src/operations/chat-events.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { checkGrammar } from '../operations/grammar.ts';
import { size } from '../size.ts';
import { absent, all, type Recording, serve } from './recordings.ts';

/** Streams of every protocol and of many shapes; the full size takes all. */
const streams = all.filter(
  ({ endpoint, stream, status }) =>
    stream && status === 200 && ['chat-completions', 'responses', 'messages'].includes(endpoint),
);
const chosen = streams.filter((_, index) => index % size(12, 1) === 0);

/** Reproducible numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function eventsOf(
  recording: Recording,
  cut: (bytes: Uint8Array) => Uint8Array[],
): Promise<{ events: ChatEvent[]; error?: unknown }> {
  const whole = new Uint8Array(await serve(recording).arrayBuffer());
  const fetch = async () => {
    const pieces = cut(whole);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  const options = { name: 'test', transport: 'fetch', apiKey: 'key-0123456789', fetch } as const;
  const provider =
    recording.endpoint === 'messages'
      ? anthropic(options)
      : openai({ ...options, api: recording.endpoint === 'responses' ? 'responses' : 'chat' });
  const clock = { now: () => 0, monotonic: () => 0, after: () => ({ cancel: () => undefined }) };
  const gateway = createGateway({ providers: [provider], models: { default: 'test/m' }, use: [], clock });
  const events: ChatEvent[] = [];
  try {
    for await (const event of gateway.stream('x')) events.push(event.type === 'end' ? { type: 'end' } : event);
  } catch (error) {
    return { events, error };
  }
  return { events };
}

describe.skipIf(absent)('invariant 1: any chunking of a recorded stream (fixtures beside the repository)', () => {
  for (const recording of chosen) {
    it(`${recording.provider} ${recording.endpoint} ${recording.name}`, async () => {
      const whole = await eventsOf(recording, (bytes) => [bytes]);
      if (whole.error === undefined) checkGrammar(whole.events);
      for (let seed = 1; seed <= size(2, 20); seed++) {
        const next = random(seed);
        const cut = (bytes: Uint8Array): Uint8Array[] => {
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < bytes.length; ) {
            const length = 1 + Math.floor(next() * (seed % 2 === 0 ? 7 : 300));
            pieces.push(bytes.slice(at, at + length));
            at += length;
          }
          return pieces;
        };
        const cutUp = await eventsOf(recording, cut);
        // What fails in one piece with its first content fails the call; cut up, some of it was delivered before.
        if (whole.error === undefined) expect(cutUp.events).toEqual(whole.events);
        else expect(cutUp.events.slice(0, whole.events.length)).toEqual(whole.events);
        expect(cutUp.error === undefined).toBe(whole.error === undefined);
      }
    }, 120_000);
  }
});
