import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { providerError, rateLimitOf, requestIdOf } from '../../core/error-facts.ts';
import { mintId } from '../../core/replay.ts';
import { recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { Json, Native, ResponseFacts, Warning } from '../../operations/shared.ts';
import { PROTOCOL } from './encoding.ts';
import { decodeFinish } from './finish.ts';
import { modelFacts } from './quirks.ts';
import { partOfBlock } from './parts.ts';
import { decodeUsage } from './usage.ts';
import { isoTime } from '../../operations/iso-time.ts';

type WireMessage = Readonly<Record<string, unknown>>;

const MESSAGE_KEYS = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'stop_reason',
  'stop_sequence',
  'stop_details',
  'usage',
]);

/** A whole `Message` as a canonical response. */
export function decodeResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): ChatResponse {
  const wire = recordOf(body);
  if (wire === undefined || !Array.isArray(wire['content'])) {
    throw providerError('bad-response', undefined, head, environment.target, environment.nowMs);
  }
  const facts = responseFacts(wire, head, environment);
  const form = modelFacts(environment).thinkingFull ? 'full' : 'summary';
  const content = wire['content'].map((block: unknown) => partOfBlock(block, form));
  const warnings: Warning[] = [];
  const tier = stringOf(recordOf(wire['usage'])?.['service_tier']);
  return {
    ...facts,
    message: {
      role: 'assistant',
      content,
      origin: {
        protocol: PROTOCOL,
        provider: environment.target.provider,
        model: facts.model,
        responseId: facts.id,
      },
    },
    finish: decodeFinish(wire, content, warnings),
    usage: decodeUsage(wire['usage'], facts.model),
    warnings,
    ...(tier !== undefined && { tier }),
    ...(environment.raw === true && { raw: body as Json }),
  };
}

/** What is known about a response before its content: of a whole message, or of `message_start`. */
export function responseFacts(wire: WireMessage, head: ResponseHead, environment: DialectEnvironment): ResponseFacts {
  const requestId = requestIdOf(head.headers);
  const rateLimit = rateLimitOf(head.headers, environment.nowMs);
  const native = messageNative(wire);
  return {
    id: stringOf(wire['id']) ?? mintId('msg', `${environment.nowMs} ${requestId ?? ''}`),
    model: stringOf(wire['model']) || environment.target.model,
    createdAt: isoTime(environment.nowMs),
    ...(requestId !== undefined && { requestId }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(native !== undefined && { native }),
  };
}

/** Fields of a message without a canonical home; those that say nothing (`null`) are left out. */
export function messageNative(wire: WireMessage): Native | undefined {
  const rest = Object.entries(wire).filter(
    ([name, value]) => !MESSAGE_KEYS.has(name) && value !== null && value !== undefined,
  );
  return rest.length === 0 ? undefined : { [PROTOCOL]: Object.fromEntries(rest) as Record<string, Json> };
}
