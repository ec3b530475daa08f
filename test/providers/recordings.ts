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
  readonly files: {
    readonly response?: string;
    readonly events?: string;
    readonly raw?: string;
    readonly request?: string;
  };
  readonly framing?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const absent = !existsSync(new URL('manifest.json', root));
export const all: readonly Recording[] = absent ? [] : JSON.parse(readFileSync(new URL('manifest.json', root), 'utf8'));
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

/** The recorded answer as a server would send it: the bytes where they were kept, else the events framed again. */
export function serve(recording: Recording): Response {
  const { files, stream, status } = recording;
  const headers = new Headers({
    'content-type': stream ? 'text/event-stream' : files.response?.endsWith('.txt') ? 'text/html' : 'application/json',
    ...recording.headers,
  });
  // The body is decoded already: its old framing headers would lie.
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) headers.delete(name);
  return new Response(stream ? framed(recording) : read(files.response as string), { status, headers });
}

function framed(recording: Recording): string {
  const lines = read(recording.files.events as string)
    .split('\n')
    .filter((line) => line.trim() !== '');
  const frames = lines.map((line) => {
    const type: unknown = recording.endpoint === 'chat-completions' ? undefined : JSON.parse(line).type;
    return `${typeof type === 'string' ? `event: ${type}\n` : ''}data: ${line}\n\n`;
  });
  return frames.join('') + (recording.endpoint === 'chat-completions' ? 'data: [DONE]\n\n' : '');
}

/** What plain reading of the recorded wire finds: no SDK, no dialect. */
export interface Reading {
  readonly text: string;
  readonly toolNames: readonly string[];
}

export function readPlainly(recording: Recording): Reading {
  const { files, endpoint, stream } = recording;
  if (!stream) {
    const body = JSON.parse(read(files.response as string));
    if (endpoint === 'messages') return fromBlocks(body.content ?? []);
    if (endpoint === 'responses') return fromItems(body.output ?? []);
    return fromMessage(body.choices?.[0]?.message ?? {});
  }
  const events = read(files.events as string)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));
  if (endpoint === 'messages') {
    const deltas = events.filter((event) => event.type === 'content_block_delta' && event.delta?.type === 'text_delta');
    const starts = events.filter((event) => event.type === 'content_block_start').map((event) => event.content_block);
    const first = starts.filter((block) => block.type === 'text').map((block) => block.text ?? '');
    return {
      text: first.join('') + deltas.map((event) => event.delta.text).join(''),
      toolNames: starts.filter((block) => block.type === 'tool_use').map((block) => block.name),
    };
  }
  if (endpoint === 'responses') {
    const last = events.findLast((event) => /^response\.(completed|incomplete)$/.test(event.type));
    const done = events.filter((event) => event.type === 'response.output_item.done').map((event) => event.item);
    return fromItems(last?.response?.output?.length > 0 ? last.response.output : done);
  }
  const first = events.flatMap((event) =>
    (event.choices ?? []).filter((choice: { index?: number }) => (choice.index ?? 0) === 0),
  );
  const contents = first.map((choice) => contentText(choice.delta?.content));
  const names = first.flatMap((choice) =>
    (choice.delta?.tool_calls ?? []).flatMap((call: never) => call?.['function']?.['name'] ?? []),
  );
  return { text: contents.join(''), toolNames: names.filter((name) => name !== '') };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
function fromMessage(message: Record<string, never>): Reading {
  return {
    text: contentText(message['content']),
    toolNames: ((message['tool_calls'] ?? []) as { function?: { name: string } }[]).flatMap(
      (call) => call.function?.name ?? [],
    ),
  };
}
function fromBlocks(blocks: readonly { type: string; text?: string; name?: string }[]): Reading {
  return {
    text: blocks.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    toolNames: blocks.flatMap((block) => (block.type === 'tool_use' ? [block.name as string] : [])),
  };
}
/** Items the application answers that have no name of their own. */
const CLIENT_CALLS: Readonly<Record<string, string>> = { apply_patch_call: 'apply_patch', shell_call: 'shell' };
function fromItems(
  items: readonly { type: string; content?: readonly { type: string; text?: string }[]; name?: string }[],
): Reading {
  return {
    text: items
      .filter((item) => item.type === 'message')
      .flatMap((item) => item.content ?? [])
      .map((part) => (part.type === 'output_text' ? part.text : ''))
      .join(''),
    toolNames: items.flatMap(
      (item) =>
        CLIENT_CALLS[item.type] ?? (/^(function|custom_tool)_call$/.test(item.type) ? [item.name as string] : []),
    ),
  };
}
