/** One request as an upstream sees it. */
export interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}
export type Answer = (seen: Seen, number: number) => Response | Promise<Response>;

/** A fetch that plays an upstream and remembers what it was asked. */
export function upstream(answer: Answer): { fetch: typeof globalThis.fetch; seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    async fetch(input, init) {
      const signal = init?.signal ?? undefined;
      const body = init?.body === undefined || init.body === null ? '' : await new Response(init.body).text();
      const request = {
        url: String(input),
        method: init?.method ?? 'GET',
        headers: new Headers(init?.headers),
        body,
        signal,
      };
      seen.push(request);
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        Promise.resolve(answer(request, seen.length)).then(resolve, reject);
      });
    },
  };
}

/** Text as an event stream, in pieces of `size` bytes. Notes when its reader goes away. */
export function sse(text: string, size = 64, onCancel?: () => void, hold = false): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= bytes.length) {
          if (!hold) controller.close();
          return hold ? new Promise(() => undefined) : undefined;
        }
        controller.enqueue(bytes.slice(at, at + size));
        at += size;
        return undefined;
      },
      cancel: () => onCancel?.(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req_stream' } });
}

export const events = (list: readonly unknown[]): string =>
  list.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
export const namedEvents = (list: readonly { readonly type: string }[]): string =>
  list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

export const completion = (content = 'Rhine', more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-test',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content, refusal: null, ...more },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 },
});
const chunk = (delta: object, finish: string | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-test',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
});
export const completionChunks = (texts: readonly string[] = ['Rhi', 'ne']): string =>
  events([
    chunk({ role: 'assistant', content: '' }),
    ...texts.map((content) => chunk({ content })),
    chunk({}, 'stop'),
    '[DONE]',
  ]);

export const message = (text = 'Rhine', content?: readonly object[]) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-test',
  content: content ?? [{ type: 'text', text }],
  stop_reason: content?.some((block) => (block as { type: string }).type === 'tool_use') ? 'tool_use' : 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 6 },
});
export const messageEvents = (texts: readonly string[] = ['Rhi', 'ne']): string =>
  namedEvents([
    { type: 'message_start', message: { ...message(), content: [], stop_reason: null } } as { type: string },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string },
    ...texts.map(
      (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }) as { type: string },
    ),
    { type: 'content_block_stop', index: 0 } as { type: string },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 6 },
    } as { type: string },
    { type: 'message_stop' },
  ]);

/** The same JSON text with odd spacing, as some providers send it. */
export const json = (body: unknown, init: ResponseInit = {}): Response =>
  new Response(JSON.stringify(body, null, 1), {
    ...init,
    headers: { 'content-type': 'application/json', 'x-request-id': 'req_1', 'request-id': 'req_1', ...init.headers },
  });
