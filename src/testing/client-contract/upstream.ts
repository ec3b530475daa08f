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
        Promise.resolve(answer(request, seen.length)).then((response) => resolve(abortable(response, signal)), reject);
      });
    },
  };
}

/** A response whose body breaks when the request is aborted, as that of a real fetch does. */
function abortable(response: Response, signal: AbortSignal | undefined): Response {
  if (signal === undefined || response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const stop = (): void => {
          controller.error(signal.reason);
          reader.cancel(signal.reason).catch(() => undefined);
        };
        signal.addEventListener('abort', stop, { once: true });
      },
      async pull(controller) {
        const { done, value } = await reader.read();
        if (signal.aborted) return;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
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

export const responseObject = (text = 'Rhine', more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'gpt-test',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
    },
  ],
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage: {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 6,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 16,
  },
  ...more,
});
export const responseEvents = (texts: readonly string[] = ['Rhi', 'ne']): string => {
  const whole = responseObject(texts.join(''));
  const begun = { ...whole, status: 'in_progress', output: [], usage: null };
  const [item] = whole.output;
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const part = { type: 'output_text', text: '', annotations: [] };
  return namedEvents(
    [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
      { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
      { type: 'response.content_part.added', ...at, part },
      ...texts.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
      { type: 'response.output_text.done', ...at, text: texts.join(''), logprobs: [] },
      { type: 'response.content_part.done', ...at, part: { ...part, text: texts.join('') } },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: whole },
    ].map((event, index) => ({ ...event, sequence_number: index })),
  );
};
export const toolCallCompletion = (name: string, args: string) => {
  const base = completion();
  const [choice] = base.choices;
  const call = { id: 'call_1', type: 'function', function: { name, arguments: args } };
  const message = { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
  return { ...base, choices: [{ ...choice, message, finish_reason: 'tool_calls' }] };
};
