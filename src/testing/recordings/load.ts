import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidOptions } from '../../core/errors.ts';
import { recordOf } from '../../core/wire-json.ts';
import type { MockProtocol } from '../wire/protocols.ts';

/** Kinds of recordings that a mock can serve. */
export type Endpoint = 'chat-completions' | 'responses' | 'messages' | 'embeddings' | 'count-tokens';

/** One recorded exchange of a folder with a manifest. Files are read when they are asked for. */
export interface Recording {
  readonly name: string;
  readonly provider: string;
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body of the request, where it was kept. */
  request(): Promise<unknown>;
  /** The body as it came: frame by frame of a stream, or whole. */
  chunks(): Promise<readonly string[]>;
}

const ENDPOINTS = new Set<string>(['chat-completions', 'responses', 'messages', 'embeddings', 'count-tokens']);

/** Protocol of an endpoint's requests. */
export const PROTOCOL_OF: Readonly<Record<Endpoint, MockProtocol>> = {
  'chat-completions': 'openai-chat',
  embeddings: 'openai-chat',
  responses: 'openai-responses',
  messages: 'anthropic-messages',
  'count-tokens': 'anthropic-messages',
};

/**
 * Reads the recordings of a folder: `manifest.json` with a list of `{ name, provider, endpoint, stream, status, files,
 * framing?, headers? }`. Entries of protocols that are not spoken here are left out.
 */
export async function loadRecordings(folder: string): Promise<readonly Recording[]> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  } catch (cause) {
    const problem = invalidOptions('recordings', `${folder} has no readable manifest.json.`);
    throw problem.with({ cause });
  }
  if (!Array.isArray(manifest)) throw invalidOptions('recordings', 'manifest.json has to be a list of recordings.');
  return manifest.flatMap((entry: unknown) => recordingOf(folder, entry) ?? []);
}

function recordingOf(folder: string, entry: unknown): Recording | undefined {
  const facts = recordOf(entry);
  const files = recordOf(facts?.['files']) as Record<string, string | undefined> | undefined;
  const endpoint = facts?.['endpoint'];
  if (facts === undefined || files === undefined || !ENDPOINTS.has(String(endpoint))) return undefined;
  const provider = String(facts['provider']);
  // Other vendors count tokens at paths of their own.
  if (endpoint === 'count-tokens' && provider !== 'anthropic') return undefined;
  const stream = facts['stream'] === true;
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
  return {
    name: String(facts['name']),
    provider,
    endpoint: endpoint as Endpoint,
    stream,
    status: Number(facts['status'] ?? 200),
    headers: headersOf(facts, stream, files),
    request: async () => (files['request'] === undefined ? undefined : JSON.parse(await read(files['request']))),
    async chunks() {
      if (!stream) return [await read(files['response'] as string)];
      const { raw, events } = files;
      if (raw !== undefined && facts['framing'] === 'sse') return framesOf(await read(raw));
      return rebuilt(await read(events as string), endpoint as Endpoint);
    },
  };
}

function headersOf(
  facts: Readonly<Record<string, unknown>>,
  stream: boolean,
  files: Record<string, string | undefined>,
): Record<string, string> {
  const type = stream ? 'text/event-stream' : files['response']?.endsWith('.json') ? 'application/json' : 'text/plain';
  return { 'content-type': type, ...(recordOf(facts['headers']) as Record<string, string> | undefined) };
}

/** Bytes as recorded, one event a chunk. */
function framesOf(text: string): readonly string[] {
  return text.split(/(?<=\r?\n\r?\n)/).filter((frame) => frame !== '');
}

/** Events as a server would have framed them. */
function rebuilt(lines: string, endpoint: Endpoint): readonly string[] {
  const events = lines.split('\n').filter((line) => line.trim() !== '');
  if (endpoint === 'chat-completions') return [...events, '[DONE]'].map((event) => `data: ${event}\n\n`);
  return events.map((event) => {
    const type = recordOf(parsed(event))?.['type'];
    return typeof type === 'string' ? `event: ${type}\ndata: ${event}\n\n` : `data: ${event}\n\n`;
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
