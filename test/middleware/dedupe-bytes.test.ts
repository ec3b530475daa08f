import { describe, expect, it, vi } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { dedupe } from '../../src/middleware/dedupe.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { openai } from '../../src/providers/openai/index.ts';

const URL_OF_CHAT = 'https://api.openai.com/v1/chat/completions';
const REQUEST = {
  model: 'openai/gpt-test',
  messages: [{ role: 'user', content: 'Name a river.' }],
  stream: true,
  stream_options: { include_usage: true },
};
const piece = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-test', odd: 'é', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
/** With what no encoder of ours would write: a comment, an unknown field, an event that is nobody's, spaces. */
const PIECES = [
  ': hello\n\n',
  piece({ role: 'assistant', content: '' }),
  piece({ content: 'The ' }),
  'event: news\ndata:   {"unknown": true}\n\n',
  piece({ content: 'Rhine' }),
  piece({}, 'stop'),
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-test', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`,
  'data: [DONE]\n\n',
];

/** A provider whose pieces come when the test says so. */
function setup() {
  const bodies: ReadableStreamDefaultController<Uint8Array>[] = [];
  let cancelled = 0;
  const fetch = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    if (!String(init?.body).includes('"stream":true')) {
      await new Promise((resolve) => setImmediate(resolve));
      const choices = [{ index: 0, message: { role: 'assistant', content: 'Rhine' }, finish_reason: 'stop' }];
      const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
      return Response.json({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'gpt-test',
        odd: 'é',
        choices,
        usage,
      });
    }
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void bodies.push(controller),
      cancel: () => void cancelled++,
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' } });
  };
  const gateway = createGateway({
    providers: [openai({ transport: 'fetch', api: 'chat', apiKey: 'sk-0123456789abcdef', fetch: fetch as never })],
    models: { default: 'openai/gpt-test' },
    use: [dedupe(), retry(), route()],
  });
  const ask = (request: object = REQUEST) =>
    gateway.fetch(URL_OF_CHAT, { method: 'POST', body: JSON.stringify(request) });
  const send = (...texts: string[]): void => {
    for (const text of texts) bodies[0]?.enqueue(new TextEncoder().encode(text));
  };
  // The door loads its dialect at the first request.
  const opened = () => vi.waitFor(() => expect(bodies).toHaveLength(1));
  return { gateway, ask, opened, send, bodies, end: () => bodies[0]?.close(), cancelled: () => cancelled };
}
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('dedupe: the provider’s own bytes', () => {
  it('reach every caller of a shared stream as they came, late ones too', async () => {
    const { ask, opened, send, end, bodies } = setup();
    const first = ask();
    await opened();
    send(...PIECES.slice(0, 3));
    const early = await first;
    const second = ask();
    const text = early.text();
    await turns();
    send(...PIECES.slice(3, 5));
    const third = ask();
    await turns();
    send(...PIECES.slice(5));
    end();
    expect(await text).toBe(PIECES.join(''));
    for (const late of [await second, await third]) {
      expect(late.headers.get('x-request-id')).toBe('req_1');
      expect(await late.text()).toBe(PIECES.join(''));
    }
    expect(bodies).toHaveLength(1);
  });

  it('hold back no event: who reads events has each as soon as it has come', async () => {
    const { ask, opened, send, end, gateway, bodies } = setup();
    const leader = ask();
    await opened();
    send(PIECES[0] as string, PIECES[1] as string, PIECES[2] as string);
    const body = (await leader).body?.getReader();
    await body?.read();
    const seen: string[] = [];
    // The same request, from within: it cannot pass bytes on and reads the events of the same exchange.
    const joined = gateway.fetch(URL_OF_CHAT, { method: 'POST', body: JSON.stringify(REQUEST) });
    const reader = (await joined).body?.getReader();
    const reading = (async () => {
      for (let step = await reader?.read(); step?.done === false; step = await reader?.read()) {
        seen.push(new TextDecoder().decode(step.value));
      }
    })();
    await turns();
    expect(seen.join('')).toBe(PIECES.slice(0, 3).join(''));
    send(PIECES[3] as string, PIECES[4] as string);
    await turns();
    expect(seen.join('')).toBe(PIECES.slice(0, 5).join(''));
    send(...PIECES.slice(5));
    end();
    await reading;
    expect(seen.join('')).toBe(PIECES.join(''));
    await body?.cancel();
    expect(bodies).toHaveLength(1);
  });

  it('end where the connection breaks, for everybody, after what had come', async () => {
    const { ask, opened, send, bodies } = setup();
    const first = ask();
    await opened();
    send(...PIECES.slice(0, 3));
    const both = [await first, await ask()];
    const read = both.map(async (response) => {
      const parts: string[] = [];
      const reader = response.body?.getReader();
      try {
        for (let step = await reader?.read(); step?.done === false; step = await reader?.read()) {
          parts.push(new TextDecoder().decode(step.value));
        }
        return [parts.join(''), 'ended'];
      } catch {
        return [parts.join(''), 'failed'];
      }
    });
    await turns();
    bodies[0]?.error(new Error('gone'));
    for (const [text] of await Promise.all(read)) expect(text?.startsWith(PIECES.slice(0, 3).join(''))).toBe(true);
  });

  it('stop upstream only when the last reader has left', async () => {
    const { ask, opened, send, cancelled } = setup();
    const first = ask();
    await opened();
    send(...PIECES.slice(0, 3));
    const [one, two] = [await first, await ask()];
    await one.body?.cancel();
    await turns();
    expect(cancelled()).toBe(0);
    await two.body?.cancel();
    await turns();
    expect(cancelled()).toBe(1);
  });

  it('are those of a shared plain answer, too', async () => {
    const { ask } = setup();
    const { stream: _stream, stream_options: _options, ...plain } = REQUEST;
    const answers = await Promise.all([ask(plain), ask(plain), ask(plain)]);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain('"odd":"é"');
  });
});
