import { describe, expect, it } from 'vitest';
import { createGateway, type Gateway, GatewayError, isGatewayError, type Provider } from '../../src/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { ENDPOINTS } from '../../src/providers/openai-compatible/endpoints.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import { absent, all, readPlainly, type Recording, serve } from './recordings.ts';

/** Recordings that cannot be a whole answer, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'spliced-message-start': 'a second message begins inside the first: two answers are never spliced',
  'groq.tool_use_failed_error_streaming_with_text.1': 'an error event inside a 200 stream',
  'openrouter.openrouter_stream_error': 'an error event inside a 200 stream',
};
/** Files in which plain concatenation reads something else than one answer, each with its reason. */
const READ_OTHERWISE: Readonly<Record<string, string>> = {
  'anthropic-tool-search-bm25.1': 'two messages in one file; the first ends the answer',
  'openai-shell-tool.1': 'two answers in one file; the first ends the stream',
  'tools_streaming.tools_streaming_variant_a.1': 'the server repeats the name of the same call',
};

const TRANSPORTS = ['fetch', 'sdk'] as const;
const ALIASES: Readonly<Record<string, string>> = { alibaba: 'qwen', moonshotai: 'moonshot', togetherai: 'together' };

function providerOf(recording: Recording, transport: 'fetch' | 'sdk'): Provider {
  const options = {
    name: 'test',
    transport,
    apiKey: 'test-key-0123456789',
    fetch: async () => serve(recording),
  } as const;
  if (recording.endpoint === 'messages') return anthropic(options);
  if (recording.endpoint === 'responses') return openai(options);
  const endpoint = ALIASES[recording.provider] ?? recording.provider;
  if (recording.provider === 'openai' || recording.provider === 'azure') return openai({ ...options, api: 'chat' });
  if (ENDPOINTS[endpoint] !== undefined) return openaiCompatible({ ...options, endpoint });
  return openaiCompatible({ ...options, baseURL: 'http://127.0.0.1:1/v1' });
}

const gatewayOf = (recording: Recording, transport: 'fetch' | 'sdk'): Gateway =>
  createGateway({ providers: [providerOf(recording, transport)], models: { default: 'test/model' }, use: [] });

type Result =
  | { readonly error: GatewayError }
  | { readonly text: string; readonly tools: readonly string[]; readonly facts: unknown };

async function run(recording: Recording, transport: 'fetch' | 'sdk'): Promise<Result> {
  const gateway = gatewayOf(recording, transport);
  try {
    const response = recording.stream ? await gateway.stream('x').response : await gateway.chat('x');
    const { text, toolCalls, finish, usage, message } = response;
    return { text, tools: toolCalls.map((call) => call.name), facts: { finish, usage, content: message.content } };
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    return { error };
  }
}

const tally = { answers: 0, errors: 0, excepted: 0 };
const chats = all.filter(({ endpoint }) => ['chat-completions', 'responses', 'messages'].includes(endpoint));

describe.skipIf(absent)('every recording goes through its provider (fixtures beside the repository)', () => {
  for (const recording of chats) {
    it(`${recording.provider} ${recording.endpoint} ${recording.name} ${recording.stream ? 'streamed' : 'plain'}`, async () => {
      const [overFetch, overSdk] = await Promise.all(TRANSPORTS.map((transport) => run(recording, transport)));
      if (overFetch === undefined || overSdk === undefined) throw new Error('no result');
      if ('error' in overFetch || 'error' in overSdk) {
        const one = 'error' in overFetch ? overFetch.error : undefined;
        const other = 'error' in overSdk ? overSdk.error : undefined;
        expect(one?.code, `over the SDK it is ${other?.message}, over fetch ${one?.message}`).toBe(other?.code);
        expect(one?.message.length).toBeLessThanOrEqual(300);
        if (recording.status >= 400 || recording.tags.includes('error')) tally.errors++;
        else {
          expect(EXCEPTIONS[recording.name], `${recording.name}: ${one?.message}`).toBeDefined();
          tally.excepted++;
        }
        if (recording.status >= 400) expect(one?.status).toBe(recording.status);
        return;
      }
      expect(recording.status).toBeLessThan(400);
      tally.answers++;
      expect(overSdk).toEqual(overFetch);
      if (recording.stream && READ_OTHERWISE[recording.name] !== undefined) return;
      const plain = readPlainly(recording);
      expect(overFetch.text).toBe(plain.text);
      expect(overFetch.tools).toEqual(plain.toolNames);
    });
  }

  it('states what was read', () => {
    const counts = { recordings: chats.length, ...tally };
    expect(tally.answers + tally.errors + tally.excepted).toBe(chats.length);
    expect(Object.keys(EXCEPTIONS).length).toBe(tally.excepted);
    expect(counts).toMatchInlineSnapshot(`
      {
        "answers": 409,
        "errors": 11,
        "excepted": 3,
        "recordings": 423,
      }
    `);
  });

  const embeddings = all.filter(({ endpoint }) => endpoint === 'embeddings');
  for (const recording of embeddings) {
    for (const transport of TRANSPORTS) {
      it(`${recording.provider} embeddings ${recording.name} over ${transport}`, async () => {
        const provider = openai({
          name: 'test',
          transport,
          apiKey: 'test-key-0123456789',
          fetch: async () => serve(recording),
        });
        const gateway = createGateway({ providers: [provider], models: { default: 'test/model' }, use: [] });
        const work = gateway.embed({ input: ['a'] });
        if (recording.status >= 400)
          return expect(work).rejects.toMatchObject({ name: 'GatewayError', status: recording.status });
        const { embeddings, usage } = await work;
        expect(embeddings.length).toBeGreaterThan(0);
        expect(usage.output).toBe(0);
        return undefined;
      });
    }
  }
});
