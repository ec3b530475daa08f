import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { rateLimitOf, requestIdOf } from '../../core/error-facts.ts';
import { recordOf } from '../../core/wire-json.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { Json, Warning } from '../../operations/shared.ts';
import { unknownUsage } from '../../operations/usage.ts';
import { finishOf } from './finish.ts';
import { PROTOCOL } from './hints.ts';
import { decodeUsage } from './usage.ts';
import { isoTime } from '../../operations/iso-time.ts';

type Wire = Readonly<Record<string, unknown>>;

const ANSWER = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'service_tier',
  'obfuscation',
  'error',
]);
const CHOICE = new Set(['index', 'message', 'finish_reason']);
const MESSAGE = new Set(['role', 'content']);
/** Fields that say nothing while they are empty lists; of others an empty list is kept. */
const LISTS = new Set(['tool_calls', 'annotations', 'images']);
const NO_LISTS: ReadonlySet<string> = new Set();

/**
 * A whole answer of one choice that is one text, read at once: most answers are, and the stream decoder takes three times as
 * long. It gives what that decoder gives, and leaves everything else to it.
 */
export function plainAnswer(wire: Wire, head: ResponseHead, environment: DialectEnvironment): ChatResponse | undefined {
  const choices = wire['choices'] as readonly unknown[];
  const choice = choices.length === 1 ? recordOf(choices[0]) : undefined;
  const message = recordOf(choice?.['message']);
  if (choice === undefined || message === undefined || (choice['index'] ?? 0) !== 0) return undefined;
  if (wire['x_groq'] !== undefined || holdsMore(choice, CHOICE, NO_LISTS) || holdsMore(message, MESSAGE, LISTS))
    return undefined;
  const { id, model, created, usage: counted, service_tier: tier } = wire;
  const { content } = message;
  const { finish_reason: word } = choice;
  if (!isText(id) || !isText(model) || !isText(content) || !isText(word)) return undefined;
  const { target, nowMs } = environment;
  const warnings: Warning[] = [];
  const requestId = requestIdOf(head.headers);
  const rateLimit = rateLimitOf(head.headers, nowMs);
  const createdMs = typeof created === 'number' && created > 0 && created < 1e11 ? created * 1000 : nowMs;
  const named = isText(tier) ? tier : undefined;
  const native = extrasOf(wire);
  return {
    id,
    model,
    createdAt: isoTime(createdMs),
    message: {
      role: 'assistant',
      content: [{ type: 'text', text: content }],
      origin: { protocol: PROTOCOL, provider: target.provider, model, responseId: id },
    },
    finish: finishOf(word, NOTHING_ELSE, {}, (warning) => warnings.push(warning)),
    usage: decodeUsage(counted, model, named) ?? unknownUsage(model),
    warnings,
    ...(requestId !== undefined && { requestId }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(native !== undefined && { native: { [PROTOCOL]: native } }),
    ...(named !== undefined && { tier: named }),
  };
}

/** What has no canonical home. */
function extrasOf(wire: Wire): Record<string, Json> | undefined {
  let extras: Record<string, Json> | undefined;
  for (const key in wire) {
    const value = wire[key];
    if (ANSWER.has(key) || value === null || value === undefined || value === '') continue;
    (extras ??= {})[key] = value as Json;
  }
  return extras;
}

const NOTHING_ELSE = { calls: false, refusal: false };

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Whether there is anything beside these fields that says something. */
function holdsMore(wire: Wire, known: ReadonlySet<string>, lists: ReadonlySet<string>): boolean {
  for (const key in wire) {
    if (known.has(key)) continue;
    const value = wire[key];
    if (value === null || value === undefined) continue;
    if (!(lists.has(key) && Array.isArray(value) && value.length === 0)) return true;
  }
  return false;
}
