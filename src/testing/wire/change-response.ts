import type { OutputPart, ToolCallPart } from '../../operations/chat-parts.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { Fault } from '../script/fault.ts';

/** The response with the faults in it that are wrong content, not wrong transport. */
export function changeResponse(response: ChatResponse, faults: readonly Fault[]): ChatResponse {
  const has = (kind: Fault['kind']): boolean => faults.some((fault) => fault.kind === kind);
  let content: readonly OutputPart[] = response.message.content;
  if (has('empty')) content = [];
  if (has('duplicate-tool-ids')) {
    const first = content.find((part): part is ToolCallPart => part.type === 'tool-call')?.id ?? '';
    content = content.map((part) => (part.type === 'tool-call' ? { ...part, id: first } : part));
  }
  if (has('broken-tool-json')) content = content.map((part) => (part.type === 'tool-call' ? brokenCall(part) : part));
  if (content === response.message.content) return response;
  const { choices: _choices, ...rest } = response;
  return {
    ...rest,
    message: { ...response.message, content },
    ...(has('empty') && { finish: { reason: 'stop' } as const }),
  };
}

function brokenCall(part: ToolCallPart): ToolCallPart {
  const text = part.argsText ?? JSON.stringify(part.args);
  return {
    ...part,
    args: null,
    argsText: text.length > 2 ? text.slice(0, -2) : '{"broken',
    invalid: { message: 'scripted to be broken' },
  };
}

/** Takes the usage out of wire text: a JSON body, or events. */
export function withoutUsage(text: string): string {
  if (!text.includes('"usage"')) return text;
  if (text.trimStart().startsWith('{')) return JSON.stringify(strip(JSON.parse(text)));
  return text
    .split('\n')
    .map((line) => (line.startsWith('data: {') ? `data: ${JSON.stringify(strip(JSON.parse(line.slice(6))))}` : line))
    .join('\n');
}

/** Usage stands at the top, or inside `message` or `response`. */
function strip(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { usage: _usage, ...rest } = body as Record<string, unknown>;
  for (const name of ['message', 'response']) {
    const inner = rest[name];
    if (typeof inner === 'object' && inner !== null && 'usage' in inner) rest[name] = strip(inner);
  }
  return rest;
}
