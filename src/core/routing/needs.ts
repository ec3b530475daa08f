import type { ChatRequest } from '../../operations/chat.ts';
import type { Call } from '../call.ts';
import type { Capability } from '../model-facts.ts';

const MEDIA = new Set<string>(['image', 'audio', 'video', 'file']);
const known = new WeakMap<object, readonly Capability[]>();
const NONE: readonly Capability[] = [];

/** What a target must be able to do to serve a call. Read once a request. */
export function needsOf(call: Pick<Call, 'operation' | 'request'>): readonly Capability[] {
  if (call.operation !== 'chat') return NONE;
  let needs = known.get(call.request);
  if (needs === undefined) {
    needs = chatNeeds(call.request as ChatRequest);
    known.set(call.request, needs);
  }
  return needs;
}

function chatNeeds(request: ChatRequest): readonly Capability[] {
  const needs = new Set<Capability>();
  for (const tool of request.tools ?? []) {
    needs.add(tool.type === 'function' || tool.type === 'freeform' ? 'tools' : 'hosted-tools');
  }
  if (request.output?.type === 'json') needs.add('json');
  if (request.output?.type === 'schema' && request.output.via !== 'prompt') needs.add('schema');
  if (request.reasoning !== undefined && request.reasoning.effort !== 'none') needs.add('reasoning');
  if (request.logprobs !== undefined && request.logprobs !== false) needs.add('logprobs');
  for (const { content } of request.messages) {
    for (const { type } of content) if (MEDIA.has(type)) needs.add(type as Capability);
  }
  return needs.size === 0 ? NONE : [...needs];
}
