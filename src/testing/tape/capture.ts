import type { Clock } from '../../core/clock.ts';
import type { Scrubber } from './scrub.ts';
import type { TapeEntry } from './entry.ts';

/** Response headers that are worth keeping; none of them names the caller. */
const KEPT =
  /^(content-type|retry-after(-ms)?|x-request-id|request-id|x-should-retry|(x|anthropic)-ratelimit-.*|openai-(version|processing-ms))$/;

/** The end of a stream in the protocols that are spoken here. */
const LAST_WORD = /^data: ?(\[DONE\]|\{.*"type": ?"(message_stop|response\.(completed|incomplete|failed)|error)")/m;

/** Everything else is bytes, which text would spoil. */
const TEXTUAL = /^text\/|[/+](json|xml|javascript|x-ndjson|jsonl|yaml|x-www-form-urlencoded|graphql)\b|event-stream/i;

export interface Capturing {
  readonly clock: Clock;
  readonly scrubber: Scrubber;
  readonly request: { readonly method: string; readonly path: string; readonly body: unknown };
  /** Called once the whole answer has passed. */
  readonly onWhole: (entry: TapeEntry) => void;
  /** Called with the reason if it cannot be kept: the reader left, it broke, or it holds a secret in its bytes. */
  readonly onLost: (reason: string) => void;
}

const CUT = 'its answer was left or broke before its end, so it was not recorded';
const SECRET = 'its binary answer holds a secret, which cannot be taken out of bytes, so it was not recorded';

/** Passes a response on as it comes and keeps a clean copy. */
export function capture(response: Response, capturing: Capturing): Response {
  const copy = copyOf(response, capturing);
  if (response.body === null) {
    copy.whole();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            copy.whole();
            controller.close();
          } else {
            copy.push(value);
            controller.enqueue(value);
          }
        } catch (error) {
          capturing.onLost(CUT);
          controller.error(error);
        }
      },
      async cancel(reason) {
        // SDKs stop reading at the protocol's last word, before the body itself has ended.
        if (copy.saidLastWord()) copy.whole();
        else capturing.onLost(CUT);
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

function copyOf(response: Response, { clock, scrubber, request, onWhole, onLost }: Capturing) {
  const began = clock.monotonic();
  const type = response.headers.get('content-type') ?? 'text/plain';
  const pieces = TEXTUAL.test(type) ? textPieces(scrubber, type) : bytePieces(scrubber);
  const chunks: [number, string][] = [];
  const keep = (piece: string): void => {
    if (piece !== '') chunks.push([Math.round(clock.monotonic() - began), piece]);
  };
  return {
    push: (bytes: Uint8Array): void => keep(pieces.piece(bytes)),
    saidLastWord: (): boolean => /event-stream/.test(type) && LAST_WORD.test(chunks.at(-1)?.[1] ?? ''),
    whole(): void {
      keep(pieces.rest());
      if (pieces.holdsSecret()) {
        onLost(SECRET);
        return;
      }
      const headers: Record<string, string> = {};
      for (const [name, value] of response.headers) if (KEPT.test(name)) headers[name] = scrubber.text(value);
      onWhole({
        at: new Date(clock.now()).toISOString(),
        method: request.method,
        path: scrubber.path(request.path),
        request: request.body === undefined ? null : scrubber.json(request.body as never),
        status: response.status,
        headers,
        ...(pieces.encoding !== undefined && { encoding: pieces.encoding }),
        chunks,
      });
    },
  };
}

/** What a body is kept as: takes what came, gives what may be written of it now. */
interface Pieces {
  readonly encoding?: 'base64';
  piece(bytes: Uint8Array): string;
  /** What was held back. */
  rest(): string;
  holdsSecret(): boolean;
}

function textPieces(scrubber: Scrubber, type: string): Pieces {
  const decoder = new TextDecoder();
  const streamed = /event-stream/.test(type);
  let held = '';
  const take = (length: number): string => {
    const text = held.slice(0, length);
    held = held.slice(length);
    return text === '' ? '' : scrubber.chunk(text);
  };
  return {
    piece(bytes) {
      held += decoder.decode(bytes, { stream: true });
      if (!streamed) return '';
      // Whole events only: a secret must not hide on the border of two reads.
      const end = Math.max(held.lastIndexOf('\n\n') + 2, held.lastIndexOf('\r\n\r\n') + 4);
      return end < 4 && !held.startsWith('\n\n') ? '' : take(end);
    },
    rest() {
      held += decoder.decode();
      return take(held.length);
    },
    holdsSecret: () => false,
  };
}

/** Byte for byte, in the pieces that came. */
function bytePieces(scrubber: Scrubber): Pieces {
  let all = '';
  return {
    encoding: 'base64',
    piece(bytes) {
      const buffer = Buffer.from(bytes);
      all += buffer.toString('latin1');
      return buffer.toString('base64');
    },
    rest: () => '',
    holdsSecret: () => scrubber.holds(all),
  };
}
