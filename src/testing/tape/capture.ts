import type { Clock } from '../../core/clock.ts';
import type { Scrubber } from './scrub.ts';
import type { TapeEntry } from './entry.ts';

/** Response headers that are worth keeping; none of them names the caller. */
const KEPT =
  /^(content-type|retry-after(-ms)?|x-request-id|request-id|x-should-retry|(x|anthropic)-ratelimit-.*|openai-(version|processing-ms))$/;

/** The end of a stream in the protocols that are spoken here. */
const LAST_WORD = /^data: ?(\[DONE\]|\{.*"type": ?"(message_stop|response\.(completed|incomplete|failed)|error)")/m;

export interface Capturing {
  readonly clock: Clock;
  readonly scrubber: Scrubber;
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
  /** Called once the whole answer has passed. */
  readonly onWhole: (entry: TapeEntry) => void;
  /** Called if the reader left, or it broke, before the end. */
  readonly onCut: () => void;
}

/** Passes a response on as it comes and keeps a clean copy. */
export function capture(response: Response, capturing: Capturing): Response {
  const { clock, scrubber, request } = capturing;
  const began = clock.monotonic();
  const decoder = new TextDecoder();
  const streamed = /event-stream/.test(response.headers.get('content-type') ?? '');
  const chunks: [number, string][] = [];
  let rest = '';
  const keep = (text: string): void => {
    if (text !== '') chunks.push([Math.round(clock.monotonic() - began), scrubber.chunk(text)]);
  };
  const push = (text: string): void => {
    rest += text;
    if (!streamed) return;
    // Whole events only: a secret must not hide on the border of two reads.
    const end = Math.max(rest.lastIndexOf('\n\n') + 2, rest.lastIndexOf('\r\n\r\n') + 4);
    if (end < 4 && !rest.startsWith('\n\n')) return;
    keep(rest.slice(0, end));
    rest = rest.slice(end);
  };
  const whole = (): void => {
    push(decoder.decode());
    keep(rest);
    const headers: Record<string, string> = {};
    for (const [name, value] of response.headers) if (KEPT.test(name)) headers[name] = scrubber.text(value);
    capturing.onWhole({
      at: new Date(clock.now()).toISOString(),
      method: request.method,
      path: scrubber.path(request.path),
      request: request.body === undefined ? null : scrubber.json(request.body as never),
      status: response.status,
      headers,
      chunks,
    });
  };
  if (response.body === null) {
    whole();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            whole();
            controller.close();
          } else {
            push(decoder.decode(value, { stream: true }));
            controller.enqueue(value);
          }
        } catch (error) {
          capturing.onCut();
          controller.error(error);
        }
      },
      async cancel(reason) {
        // SDKs stop reading at the protocol's last word, before the body itself has ended.
        if (streamed && LAST_WORD.test(chunks.at(-1)?.[1] ?? '')) whole();
        else capturing.onCut();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText } = response;
  // The body is decoded already, and its length is another.
  const headers = new Headers(response.headers);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return new Response(body, { status, statusText, headers });
}
