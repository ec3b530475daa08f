import { existsSync, readFileSync } from 'node:fs';

/** Recordings by others, beside the repository and never in it. */
const root = new URL('../../../shared/fixtures/providers/', import.meta.url);

export interface Recording {
  readonly name: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly status: number;
  readonly tags: readonly string[];
  readonly framing?: string;
  readonly files: {
    readonly response?: string;
    readonly events?: string;
    readonly raw?: string;
    readonly request?: string;
  };
  readonly headers?: Readonly<Record<string, string>>;
}

export const absent = !existsSync(new URL('manifest.json', root));
const all: readonly Recording[] = absent ? [] : JSON.parse(readFileSync(new URL('manifest.json', root), 'utf8'));
export const recordings = (endpoint: string): readonly Recording[] => all.filter((one) => one.endpoint === endpoint);
export const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

/** The body a provider sent, as text: of a stream the bytes as recorded, else its events framed again. */
export function answerText(recording: Recording): string {
  const { response, events, raw } = recording.files;
  if (!recording.stream) return read(response as string);
  if (raw !== undefined && raw.endsWith('.sse')) return read(raw);
  const lines = read(events as string)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const frames = lines.map((line) => {
    const { type } = JSON.parse(line) as { type?: string };
    return recording.endpoint === 'chat-completions' ? `data: ${line}\n\n` : `event: ${type}\ndata: ${line}\n\n`;
  });
  return frames.join('') + (recording.endpoint === 'chat-completions' ? 'data: [DONE]\n\n' : '');
}

/** The answer as a response, in pieces of 37 bytes where it streams. */
export function answer(recording: Recording): Response {
  const text = answerText(recording);
  const isJson = /^\s*[[{]/.test(text);
  const headers = {
    'content-type': recording.stream ? 'text/event-stream' : isJson ? 'application/json' : 'text/html',
    'x-request-id': 'req_recorded',
    'request-id': 'req_recorded',
    'x-should-retry': 'false',
    ...recording.headers,
  };
  if (!recording.stream) return new Response(text, { status: recording.status, headers });
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + 1337));
      at += 1337;
      return undefined;
    },
  });
  return new Response(body, { status: recording.status, headers });
}
