import type { Message, Part, TextPart } from '../operations/chat-parts.ts';
import type { ChatRequest, Tool } from '../operations/chat.ts';
import type { CacheHint } from '../operations/shared.ts';
import { estimateTokens } from '../operations/usage.ts';

/** Most breakpoints of one request (Anthropic API reference, 2026-11-22). */
export const BREAKPOINTS_MAX = 4;

export interface BreakpointOptions {
  readonly hint: CacheHint;
  /** Shorter prefixes are not cached by the provider, so that a breakpoint there is wasted. */
  readonly tokensMin: number;
}

/**
 * The request with breakpoints where prefixes end that come again: after the tools, after the system text, and, once
 * there is a conversation, after its last and its last but one user turn. The caller's own are kept and count.
 */
export function withBreakpoints(request: ChatRequest, { hint, tokensMin }: BreakpointOptions): ChatRequest {
  let room = BREAKPOINTS_MAX - ownBreakpoints(request);
  let tokens = 0;
  let { tools, system, messages } = request;
  const count = (value: unknown): void => {
    tokens += value === undefined ? 0 : estimateTokens(JSON.stringify(value));
  };
  const fits = (): boolean => room > 0 && tokens >= tokensMin;
  count(tools);
  const lastTool = tools?.at(-1);
  if (tools !== undefined && lastTool !== undefined && fits() && mayCarry(lastTool)) {
    tools = [...tools.slice(0, -1), { ...lastTool, cache: hint } as Tool];
    room--;
  }
  count(system);
  const lastText = system?.at(-1);
  if (system !== undefined && lastText !== undefined && lastText.cache === undefined && fits()) {
    system = [...system.slice(0, -1), { ...lastText, cache: hint } as TextPart];
    room--;
  }
  // One question and nothing after it comes again only with its own answer.
  if (messages.some(({ role }) => role === 'assistant')) {
    count(messages);
    const ends = turnEnds(messages).slice(0, Math.max(0, room));
    if (tokens >= tokensMin) messages = messages.map((each, at) => (ends.includes(at) ? marked(each, hint) : each));
  }
  if (tools === request.tools && system === request.system && messages === request.messages) return request;
  return { ...request, messages, ...(tools !== undefined && { tools }), ...(system !== undefined && { system }) };
}

/** The same set of tools in the same order, whatever order it was built in: one byte changed and nothing is cached. */
export function withSortedTools(request: ChatRequest): ChatRequest {
  const { tools } = request;
  if (tools === undefined || tools.every((tool, at) => at === 0 || nameOf(tools[at - 1] as Tool) <= nameOf(tool))) {
    return request;
  }
  const sorted = [...tools].sort((one, other) =>
    nameOf(one) < nameOf(other) ? -1 : Number(nameOf(one) > nameOf(other)),
  );
  return { ...request, tools: sorted };
}

function nameOf(tool: Tool): string {
  if (tool.type === 'mcp') return `mcp ${tool.server}`;
  return tool.type === 'hosted' ? `hosted ${tool.tool} ${tool.name ?? ''}` : `${tool.type} ${tool.name}`;
}

function mayCarry(tool: Tool): boolean {
  return (tool.type === 'function' || tool.type === 'freeform') && tool.cache === undefined;
}

function ownBreakpoints({ tools, system, messages }: ChatRequest): number {
  const parts: readonly object[] = messages.flatMap((message) => [message, ...message.content]);
  return [...(tools ?? []), ...(system ?? []), ...parts].filter((each) => 'cache' in each && each.cache).length;
}

/** The last message, and the end of the turn before it: what the last call has written is read by this one. */
function turnEnds(messages: readonly Message[]): number[] {
  const last = messages.length - 1;
  const before = messages.findLastIndex(({ role }, at) => at < last && (role === 'user' || role === 'tool'));
  return [last, before].filter((at) => at >= 0 && !isMarked(messages[at] as Message));
}

function isMarked(message: Message): boolean {
  return message.cache !== undefined || message.content.some((part) => 'cache' in part && part.cache !== undefined);
}

/** Only what a provider takes a breakpoint on: the last part, unless it is thinking or somebody else's block. */
function marked(message: Message, hint: CacheHint): Message {
  const parts = message.content as readonly Part[];
  const last = parts.at(-1);
  if (last === undefined || last.type === 'reasoning' || last.type === 'native') return message;
  if (last.type === 'text' && last.text === '') return message;
  return { ...message, content: [...parts.slice(0, -1), { ...last, cache: hint }] } as Message;
}
