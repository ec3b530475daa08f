import type { AssistantMessage, Citation, OutputPart, TextPart } from '../../operations/chat-parts.ts';
import type { ChatRequest, ChatResponse, FinishReason, FunctionTool } from '../../operations/chat.ts';
import { chatTraits } from '../../operations/chat-traits.ts';
import { embedTraits } from '../../operations/embed-traits.ts';
import type { EmbedResponse } from '../../operations/embed.ts';
import type { Json, Protocol, Usage } from '../../operations/shared.ts';
import { estimateTokens, usageOf } from '../../operations/usage.ts';
import type { AnswerInput, CitationInput } from './answer.ts';
import type { MockCall } from './mock-call.ts';
import { sampleOf } from './sample.ts';
import { DIMENSIONS, encodeVector, vectorOf } from './vectors.ts';

/** What an answer needs to know beside the call. */
export interface Making {
  readonly newId: (prefix: string) => string;
  readonly nowMs: number;
  readonly protocol: Protocol;
}

/** Ids begin as the vendor's own do. Source: both SDKs' documentation, read 2026-11. */
const PREFIXES: Readonly<Record<string, readonly [response: string, toolCall: string]>> = {
  'openai-chat': ['chatcmpl-', 'call_'],
  'openai-responses': ['resp_', 'call_'],
  'anthropic-messages': ['msg_', 'toolu_'],
};

/** The response a scripted answer stands for, with ids, usage and finish reason filled in. */
export function makeChatResponse(parts: readonly AnswerInput[], call: MockCall<'chat'>, making: Making): ChatResponse {
  const { newId, nowMs, protocol } = making;
  const [idPrefix, toolPrefix] = PREFIXES[protocol] ?? ['mock_', 'call_'];
  const id = newId(idPrefix);
  const written = contentOf(parts, () => newId(toolPrefix));
  const content = written.length > 0 || saysNothing(parts) ? written : madeUp(call.request, () => newId(toolPrefix));
  const model = lastOf(parts, 'model') ?? call.model;
  const message: AssistantMessage = {
    role: 'assistant',
    content,
    origin: { protocol, provider: call.provider, model, responseId: id },
  };
  const finish = { reason: lastOf(parts, 'finish') ?? finishOf(content) };
  const base: ChatResponse = {
    id,
    model,
    createdAt: new Date(nowMs).toISOString(),
    message,
    finish,
    usage: usageOf([]),
    warnings: [],
  };
  const { n } = call.request;
  const choices =
    n === undefined || n < 2 ? undefined : Array.from({ length: n }, (_, index) => ({ index, message, finish }));
  return { ...base, usage: usageFor(parts, call, base), ...(choices !== undefined && { choices }) };
}

export function makeEmbedResponse(
  parts: readonly AnswerInput[],
  call: MockCall<'embed'>,
  making: Making,
): EmbedResponse {
  const { request, model } = call;
  const given = lastOf(parts, 'vectors');
  const encoding = request.encoding ?? 'float';
  const vectors = request.input.map(
    (text, index) => given?.[index] ?? vectorOf(text, request.dimensions ?? DIMENSIONS),
  );
  const tokens = lastOf(parts, 'usage') ?? embedTraits.estimate(request, undefined, model).tokens;
  return {
    id: making.newId('embd_'),
    model: lastOf(parts, 'model') ?? model,
    createdAt: new Date(making.nowMs).toISOString(),
    embeddings: vectors.map((vector, index) => ({ index, vector: encodeVector(vector, encoding) })),
    encoding,
    dimensions: vectors[0]?.length ?? 0,
    usage: usageOf([{ model, role: 'main', tokens }]),
    warnings: [],
  };
}

/** Whether the script wants an answer without content: an empty text was written. */
function saysNothing(parts: readonly AnswerInput[]): boolean {
  return parts.some((part) => part.text !== undefined || part.content !== undefined);
}

function contentOf(parts: readonly AnswerInput[], newId: () => string): OutputPart[] {
  const content: OutputPart[] = [];
  for (const part of parts) {
    if (part.reasoning !== undefined) content.push({ type: 'reasoning', text: part.reasoning, form: 'full' });
    if (part.text !== undefined) {
      const text = typeof part.text === 'string' ? part.text : part.text.join('');
      if (text !== '') content.push({ type: 'text', text });
    }
    if (part.output !== undefined) content.push({ type: 'text', text: JSON.stringify(part.output) });
    if (part.citations !== undefined) cite(content, part.citations);
    if (part.refusal !== undefined) content.push({ type: 'refusal', text: part.refusal });
    for (const { name, args = {}, id } of part.toolCalls ?? []) {
      content.push({ type: 'tool-call', id: id ?? newId(), name, args, argsText: argumentsText(args) });
    }
    content.push(...(part.content ?? []));
  }
  return content;
}

function argumentsText(args: Json): string {
  return typeof args === 'string' ? args : JSON.stringify(args);
}

function cite(content: OutputPart[], citations: readonly CitationInput[]): void {
  const index = content.findLastIndex((part) => part.type === 'text');
  const cited = content[index] as TextPart | undefined;
  if (cited === undefined) throw new TypeError('cite: there is no text to cite a source for; say reply(text) first.');
  const all = citations.map((citation) => ('source' in citation ? citation : urlCitation(citation, cited.text)));
  content[index] = { ...cited, citations: [...(cited.citations ?? []), ...all] };
}

function urlCitation(input: Exclude<CitationInput, Citation>, text: string): Citation {
  const { url, title, quote } = input;
  return {
    start: 0,
    end: text.length,
    ...(quote !== undefined && { quote }),
    source: { kind: 'url', url, ...(title !== undefined && { title }) },
  };
}

/** What the request itself asks for: a forced tool call, a value of its schema, or a plain sentence. */
function madeUp(request: ChatRequest, newId: () => string): OutputPart[] {
  const { output, toolChoice, tools = [] } = request;
  const functions = tools.filter((tool): tool is FunctionTool => tool.type === 'function');
  const forced = typeof toolChoice === 'object' && 'tool' in toolChoice ? toolChoice.tool : undefined;
  const tool =
    forced === undefined && toolChoice !== 'required'
      ? undefined
      : (functions.find(({ name }) => name === forced) ?? functions[0]);
  if (tool !== undefined) {
    const args = sampleOf(tool.input);
    return [{ type: 'tool-call', id: newId(), name: tool.name, args, argsText: JSON.stringify(args) }];
  }
  if (output?.type === 'schema') return [{ type: 'text', text: JSON.stringify(sampleOf(output.schema)) }];
  if (output?.type === 'json') return [{ type: 'text', text: '{}' }];
  if (output?.type === 'choice') return [{ type: 'text', text: output.options[0] ?? '' }];
  return [{ type: 'text', text: 'This is an answer of the mock.' }];
}

function finishOf(content: readonly OutputPart[]): FinishReason {
  if (content.some((part) => part.type === 'tool-call' && part.executor !== 'provider')) return 'tool-calls';
  return content.some((part) => part.type === 'refusal') ? 'refusal' : 'stop';
}

function usageFor(parts: readonly AnswerInput[], call: MockCall<'chat'>, response: ChatResponse): Usage {
  const { model } = response;
  const given = lastOf(parts, 'usage');
  if (given !== undefined) return usageOf([{ model, role: 'main', tokens: given }]);
  const { input, output } = chatTraits.estimate(call.request, response, model);
  const reasoning = response.message.content.reduce(
    (sum, part) => sum + (part.type === 'reasoning' ? estimateTokens(part.text) : 0),
    0,
  );
  const tokens = { input, output: Math.max(1, output - reasoning), ...(reasoning > 0 && { reasoning }) };
  return usageOf([{ model, role: 'main', tokens }]);
}

function lastOf<K extends keyof AnswerInput>(parts: readonly AnswerInput[], field: K): AnswerInput[K] | undefined {
  return parts.findLast((part) => part[field] !== undefined)?.[field];
}
