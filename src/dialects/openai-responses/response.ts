import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { rateLimitOf, requestIdOf } from '../../core/error-facts.ts';
import { GatewayError } from '../../core/errors.ts';
import { mintId } from '../../core/replay.ts';
import { arrayOf, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatResponse, Finish, FinishReason } from '../../operations/chat.ts';
import type { OutputPart } from '../../operations/chat-parts.ts';
import type { ResponseFacts, Warning } from '../../operations/shared.ts';
import { decodeError } from './errors.ts';
import { itemLogprobs, partsOfItem } from './items.ts';
import { asNative, PROTOCOL, restOf, type Wire } from './protocol.ts';
import { decodeUsage } from './usage.ts';
import { isoTime } from '../../operations/iso-time.ts';

/** The echo of the request, and what has a home of its own. Everything else is kept as `native`. */
const KNOWN = new Set([
  ...['id', 'object', 'created_at', 'model', 'output', 'output_text', 'status', 'error', 'incomplete_details', 'usage'],
  ...['tool_usage', 'service_tier', 'conversation', 'completed_at', 'background', 'instructions', 'max_output_tokens'],
  ...['max_tool_calls', 'metadata', 'parallel_tool_calls', 'previous_response_id', 'prompt', 'prompt_cache_key'],
  ...[
    'prompt_cache_options',
    'prompt_cache_retention',
    'reasoning',
    'safety_identifier',
    'store',
    'temperature',
    'text',
  ],
  ...['tool_choice', 'tools', 'top_logprobs', 'top_p', 'truncation', 'user', 'frequency_penalty', 'presence_penalty'],
  ...['content_filters', 'access_programs', 'billing', 'image', 'context_management'],
]);

/** A plain answer as canonical response. A failed one is thrown, with what it held. */
export function decodeResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): ChatResponse {
  const wire = recordOf(body);
  if (wire === undefined || !Array.isArray(wire['output'])) {
    if (isFailed(wire)) throw decodeError(wire, head, environment);
    const { provider, model } = environment.target;
    throw new GatewayError('bad-response', `${provider}/${model} answered ${head.status} without an output list.`, {
      source: 'provider',
      target: environment.target,
      status: head.status,
    });
  }
  const items = arrayOf(wire['output']).map((item) => recordOf(item) ?? {});
  const parts = items.flatMap(partsOfItem);
  const facts = factsOf(wire, head, environment);
  const logprobs = items.flatMap(itemLogprobs);
  const response: ChatResponse = {
    ...facts,
    message: {
      role: 'assistant',
      content: parts,
      origin: {
        protocol: PROTOCOL,
        provider: environment.target.provider,
        model: facts.model,
        responseId: facts.id,
      },
    },
    finish: finishOf(wire, parts),
    usage: decodeUsage(wire, facts.model, stringOf(wire['service_tier'])),
    warnings: warningsOf(wire),
    ...(logprobs.length > 0 && { logprobs }),
    ...endFactsOf(wire),
  };
  if (isFailed(wire)) throw decodeError(wire, head, environment, { partial: response, usage: response.usage });
  return response;
}

export function isFailed(wire: Wire | undefined): boolean {
  return wire?.['status'] === 'failed' || (wire?.['error'] !== undefined && wire['error'] !== null);
}

/** Who answered, and when. */
export function factsOf(wire: Wire, head: ResponseHead, environment: DialectEnvironment): ResponseFacts {
  const created = numberOf(wire['created_at']);
  const requestId = requestIdOf(head.headers);
  const rateLimit = rateLimitOf(head.headers, environment.nowMs);
  return {
    id: stringOf(wire['id']) || mintId('response', `${environment.target.model}:${environment.nowMs}`),
    model: stringOf(wire['model']) || environment.target.model,
    createdAt: isoTime(created === undefined ? environment.nowMs : Math.min(created * 1000, 8.64e15)),
    ...(requestId !== undefined && { requestId }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...asNative(restOf(wire, KNOWN)),
  };
}

export function endFactsOf(wire: Wire): Pick<ChatResponse, 'tier' | 'conversation'> {
  const tier = stringOf(wire['service_tier']);
  const id = stringOf(recordOf(wire['conversation'])?.['id']) ?? stringOf(wire['conversation']);
  // An answer that was not stored cannot be continued by its id.
  const responseId = wire['store'] === false ? undefined : stringOf(wire['id']);
  return {
    ...(tier !== undefined && { tier }),
    ...((id !== undefined || responseId !== undefined) && {
      conversation: { ...(responseId !== undefined && { responseId }), ...(id !== undefined && { id }) },
    }),
  };
}

/** The protocol has no finish reason: it follows from the status, its details and what the answer holds. */
export function finishOf(wire: Wire, parts: readonly OutputPart[]): Finish {
  const status = stringOf(wire['status']);
  const details = stringOf(recordOf(wire['incomplete_details'])?.['reason']);
  const raw = details ?? status;
  return { reason: reasonOf(status, details, parts), ...(raw !== undefined && { raw }) };
}

function reasonOf(status: string | undefined, details: string | undefined, parts: readonly OutputPart[]): FinishReason {
  if (status === 'cancelled') return 'cancelled';
  if (status === 'failed') return 'error';
  if (status === 'incomplete') {
    if (details === 'max_output_tokens' || details === 'max_tokens') return 'length';
    if (details === 'content_filter') return 'content-filter';
    return details === 'steered' || details === 'max_messages' ? 'pause' : 'other';
  }
  if (status !== undefined && status !== 'completed') return 'other';
  if (parts.some(needsAnswer)) return 'tool-calls';
  const said = parts.filter((part) => part.type === 'text' || part.type === 'refusal');
  return said.length > 0 && said.every((part) => part.type === 'refusal') ? 'refusal' : 'stop';
}

function needsAnswer(part: OutputPart): boolean {
  return part.type === 'approval-request' || (part.type === 'tool-call' && part.executor !== 'provider');
}

/** The server says when it left reasoning of earlier turns out. */
export function warningsOf(wire: Wire): Warning[] {
  return arrayOf(wire['input_transformations']).flatMap((entry): Warning[] => {
    const change = recordOf(entry);
    if (change === undefined) return [];
    const reason = stringOf(change['reason']) ?? 'no reason given';
    return [
      {
        code: 'dropped-replay',
        feature: 'reasoning',
        message: `The provider left a ${stringOf(change['type']) ?? 'reasoning'} item of an earlier turn out: ${reason}.`,
      },
    ];
  });
}
