import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { absent, answer, read, type Recording, recordings } from './recordings.ts';
import { type Seen, upstream } from './upstream.ts';

const REQUESTS: Readonly<Record<string, object>> = {
  'chat-completions': { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] },
  responses: { model: 'gpt-test', input: 'hi' },
  messages: { model: 'claude-test', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
};

beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue()); // Recorded models are old; the SDK says so.

/** What the SDK reads: its value with the events of a stream, or the error it throws. */
async function readBy(client: OpenAI | Anthropic, recording: Recording, body: object): Promise<unknown> {
  const parameters = { ...body, stream: recording.stream } as never;
  try {
    const pending =
      client instanceof OpenAI
        ? recording.endpoint === 'responses'
          ? client.responses.create(parameters)
          : client.chat.completions.create(parameters)
        : client.messages.create(parameters);
    const { data, response } = await (pending as ReturnType<OpenAI['chat']['completions']['create']>).withResponse();
    const headers = Object.fromEntries([...response.headers].filter(([name]) => !name.startsWith('x-postern-')));
    if (!recording.stream) return { data, headers, status: response.status };
    const events: unknown[] = [];
    try {
      for await (const event of data as unknown as AsyncIterable<unknown>) events.push(event);
    } catch (error) {
      return { events, headers, thrown: shown(error) };
    }
    return { events, headers };
  } catch (error) {
    return { thrown: shown(error) };
  }
}

function shown(error: unknown): unknown {
  const { name, status, message, error: body, requestID } = error as Error & Record<string, unknown>;
  return { class: (error as Error).constructor.name, name, status, message, body, requestID };
}

async function compare(recording: Recording): Promise<{ bare: unknown; wrapped: unknown; sent: [Seen, Seen] }> {
  const body = (
    recording.files.request === undefined ? REQUESTS[recording.endpoint] : JSON.parse(read(recording.files.request))
  ) as object;
  const gateway = createGateway();
  const results: unknown[] = [];
  const sent: Seen[] = [];
  for (const wrap of [false, true]) {
    const provider = upstream(() => answer(recording));
    const options = { apiKey: 'sk-test-0123456789', maxRetries: 0, fetch: provider.fetch };
    const bare = recording.endpoint === 'messages' ? new Anthropic(options) : new OpenAI(options);
    results.push(await readBy(wrap ? gateway.wrap(bare) : bare, recording, body));
    sent.push(provider.seen.at(-1) as Seen);
  }
  return { bare: results[0], wrapped: results[1], sent: sent as [Seen, Seen] };
}

/** An answer that a gateway may not pass off as a success: it becomes the SDK's own error. */
function isBrokenAnswer(bare: unknown): boolean {
  const { data, events = [], thrown } = bare as { data?: unknown; events?: { type?: string }[]; thrown?: unknown };
  if (thrown !== undefined || typeof data === 'string') return true;
  const starts = events.filter((event) => event.type === 'message_start').length;
  return starts > 1 || (data as { error?: unknown } | undefined)?.error != null;
}

describe.skipIf(absent)('recorded pairs through a wrapped client (fixtures are beside the repository)', () => {
  for (const endpoint of ['chat-completions', 'responses', 'messages']) {
    for (const stream of [false, true]) {
      it(`${endpoint}, ${stream ? 'streamed' : 'plain'}: the same bytes go out and the same values come back`, async () => {
        const different: string[] = [];
        const refused: string[] = [];
        let same = 0;
        for (const recording of recordings(endpoint).filter((one) => one.stream === stream)) {
          const { bare, wrapped, sent } = await compare(recording);
          expect(sent[1].body).toBe(sent[0].body);
          expect(sent[1].url).toBe(sent[0].url);
          expect([...sent[1].headers]).toEqual([...sent[0].headers]);
          if (JSON.stringify(bare) === JSON.stringify(wrapped)) same++;
          else if (isBrokenAnswer(bare) && 'thrown' in (wrapped as object)) refused.push(recording.name);
          else different.push(`${recording.provider}/${recording.name}`);
        }
        expect(different).toEqual([]);
        expect(same).toBeGreaterThan(20);
        expect(refused.length).toBeLessThan(same / 10);
      });
    }
  }
});
