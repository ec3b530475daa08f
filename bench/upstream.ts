/** An upstream in the process: the same bytes for every subject, no network, one turn of the event loop a reply. */

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const TEXT = 'The small private gate in a castle wall is called a postern. '.repeat(17);

export const MESSAGES = [
  { role: 'system', content: 'You are a careful assistant. '.repeat(8) },
  ...Array.from({ length: 5 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `Turn ${index}: ${'lorem ipsum dolor sit amet '.repeat(9)}`,
  })),
] as { role: 'system' | 'user' | 'assistant'; content: string }[];

const BODY = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-test',
  choices: [
    { index: 0, message: { role: 'assistant', content: TEXT, refusal: null }, logprobs: null, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 400, completion_tokens: 220, total_tokens: 620 },
});
const MESSAGE = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-test',
  content: [{ type: 'text', text: TEXT }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 400, output_tokens: 220 },
});

const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-test',
    service_tier: 'default',
    system_fingerprint: 'fp_1234567890',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
    obfuscation: 'abcdefgh',
  })}\n\n`;

/** `hold` leaves the stream open after its deltas: an answer that is still being written. */
function streamBody(deltas: number, hold: boolean): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    async pull(controller): Promise<void> {
      if (sent < deltas) {
        controller.enqueue(
          encoder.encode(chunk(sent === 0 ? { role: 'assistant', content: 'x' } : { content: ` word${sent}` }, null)),
        );
        sent++;
        if (sent % 16 === 0) await turn();
        return;
      }
      if (hold) return new Promise<void>(() => undefined);
      const usage = { prompt_tokens: 400, completion_tokens: deltas, total_tokens: 400 + deltas };
      const last = {
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'gpt-test',
        choices: [],
        usage,
      };
      controller.enqueue(encoder.encode(`${chunk({}, 'stop')}data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`));
      controller.close();
    },
  });
}

/** A `fetch` that answers OpenAI chat and Anthropic messages; streams when the body asks for it. */
export function upstream(deltas = 500, hold = false): typeof fetch {
  return async (input, init) => {
    await turn();
    const url = String(input instanceof Request ? input.url : input);
    if (url.includes('/messages')) return new Response(MESSAGE, { headers: { 'content-type': 'application/json' } });
    const streams = String(init?.body).includes('"stream":true');
    if (streams) return new Response(streamBody(deltas, hold), { headers: { 'content-type': 'text/event-stream' } });
    return new Response(BODY, { headers: { 'content-type': 'application/json' } });
  };
}
