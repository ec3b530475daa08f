import type { DecodedRequest } from '../../core/dialect.ts';
import { invalidRequest } from '../../core/errors.ts';
import { arrayOf, nativeRest, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatRequest, OutputFormat, ReasoningOptions } from '../../operations/chat.ts';
import type { Json, JsonObject, JsonSchema } from '../../operations/shared.ts';
import { hintOf } from './cache-control.ts';
import { decodeMessages, decodeSystem } from './door-messages.ts';
import { decodeTools } from './door-tools.ts';
import { PROTOCOL } from './encoding.ts';

type Body = Readonly<Record<string, unknown>>;

/**
 * The body an application sent, in canonical form.
 *
 * Writing it back gives the same body up to these changes, none of which the API can tell: a string of `system` or of
 * `content` becomes one text block; in a user turn tool results come first, and turns that only answer calls join the
 * words that follow; `stream: false`, nulls and empty texts go; `tool_choice` without tools goes.
 */
export function decodeRequest(body: unknown, headers: Readonly<Record<string, string>>): DecodedRequest<ChatRequest> {
  const wire = recordOf(body);
  if (wire === undefined) throw invalidRequest('body', 'the body has to be a JSON object');
  const model = stringOf(wire['model']);
  if (model === undefined) throw invalidRequest('model', 'a model name is required');
  if (!Array.isArray(wire['messages'])) throw invalidRequest('messages', 'a list of messages is required');
  const rest: Record<string, unknown> = { ...wire };
  for (const name of KNOWN) delete rest[name];
  const system = decodeSystem(wire['system']);
  const reasoning = decodeReasoning(wire, rest);
  const output = decodeOutput(wire);
  const request: ChatRequest = {
    model,
    ...(system.length > 0 && { system }),
    messages: decodeMessages(wire['messages'], model),
    ...decodeTools(wire, rest),
    ...(reasoning !== undefined && { reasoning }),
    ...(output !== undefined && { output }),
    ...decodeNumbers(wire),
    ...decodeStop(wire),
    ...decodeTier(wire, rest),
    ...decodeCache(wire),
    ...decodeUser(wire, rest),
  };
  // Last: the steps above took what they could say out of it.
  const left = nativeRest(withoutNulls(rest), NONE, PROTOCOL);
  return {
    request: left === undefined ? request : { ...request, native: left },
    stream: wire['stream'] === true,
    facts: factsOf(wire, headers, output),
  };
}

const NONE: ReadonlySet<string> = new Set();
/** Fields that always have a canonical home. The others are judged by their values. */
const KNOWN = [
  'model',
  'messages',
  'system',
  'stream',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'cache_control',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
] as const;

function factsOf(
  wire: Body,
  headers: Readonly<Record<string, string>>,
  output: OutputFormat | undefined,
): Readonly<Record<string, unknown>> {
  return {
    protocol: PROTOCOL,
    ...(headers['anthropic-version'] !== undefined && { version: headers['anthropic-version'] }),
    ...(headers['anthropic-beta'] !== undefined && { betas: headers['anthropic-beta'] }),
    // An effort without thinking steers the words only; canonically the two are one option.
    ...(recordOf(wire['thinking']) === undefined && effortOf(wire)),
    ...(output?.type === 'schema' && { schema: output.schema }),
  };
}

function decodeNumbers(wire: Body): Pick<ChatRequest, 'maxTokens' | 'temperature' | 'topP' | 'topK'> {
  const maxTokens = numberOf(wire['max_tokens']);
  const temperature = numberOf(wire['temperature']);
  const topP = numberOf(wire['top_p']);
  const topK = numberOf(wire['top_k']);
  return {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
  };
}

function decodeStop(wire: Body): Pick<ChatRequest, 'stop'> {
  const stop = arrayOf(wire['stop_sequences']).filter((text): text is string => typeof text === 'string');
  return stop.length > 0 ? { stop } : {};
}

/** `thinking` and `output_config.effort`. What has no canonical form stays in `rest`. */
function decodeReasoning(wire: Body, rest: Record<string, unknown>): ReasoningOptions | undefined {
  const thinking = recordOf(wire['thinking']);
  const { effort: level, format: _format, ...config } = recordOf(wire['output_config']) ?? {};
  const effort = EFFORTS.find((known) => known === level);
  const keep: Record<string, unknown> = { ...config };
  // With thinking off the effort only steers the words, which `none` cannot say.
  const effortIsNative = (effort === undefined && typeof level === 'string') || thinking?.['type'] === 'disabled';
  if (effortIsNative && typeof level === 'string') keep['effort'] = level;
  if (Object.keys(keep).length > 0) rest['output_config'] = keep;
  const display = thinking?.['display'];
  const show = display === 'summarized' ? 'summary' : display === 'omitted' ? 'none' : undefined;
  const shown = show === undefined ? {} : ({ show } as const);
  switch (thinking?.['type']) {
    case 'disabled':
      return { effort: 'none' };
    case 'enabled': {
      const budgetTokens = numberOf(thinking['budget_tokens']);
      if (effort !== undefined) rest['output_config'] = { ...keep, effort };
      return { ...(budgetTokens !== undefined && { budgetTokens }), ...shown };
    }
    case 'adaptive':
      return { ...(effort !== undefined && { effort }), ...shown };
    case undefined:
      return effort === undefined ? undefined : { effort };
    default:
      rest['thinking'] = thinking;
      return effort === undefined ? undefined : { effort };
  }
}

function effortOf(wire: Body): { effort?: string } {
  const effort = EFFORTS.find((known) => known === recordOf(wire['output_config'])?.['effort']);
  return effort === undefined ? {} : { effort };
}

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

function decodeOutput(wire: Body): OutputFormat | undefined {
  const format = recordOf(recordOf(wire['output_config'])?.['format']);
  const schema = recordOf(format?.['schema']);
  if (format === undefined || schema === undefined || format['type'] !== 'json_schema') return undefined;
  const native = nativeRest(format, new Set(['type', 'schema']), PROTOCOL);
  return { type: 'schema', name: 'output', schema: schema as JsonSchema, ...(native !== undefined && { native }) };
}

function decodeTier(wire: Body, rest: Record<string, unknown>): Pick<ChatRequest, 'tier'> {
  const tier = wire['service_tier'];
  if (wire['speed'] === 'fast' && tier === undefined) {
    delete rest['speed'];
    return { tier: 'fast' };
  }
  if (tier !== 'auto' && tier !== 'standard_only') return {};
  delete rest['service_tier'];
  return { tier: tier === 'auto' ? 'auto' : 'default' };
}

function decodeCache(wire: Body): Pick<ChatRequest, 'cache'> {
  const hint = hintOf(wire['cache_control']);
  if (hint === undefined) return {};
  const ttl = hint === true ? undefined : hint.ttl;
  return { cache: { mode: 'auto', ...(ttl !== undefined && { ttl }) } };
}

function decodeUser(wire: Body, rest: Record<string, unknown>): Pick<ChatRequest, 'user'> {
  const { user_id: user, ...more } = recordOf(wire['metadata']) ?? {};
  if (typeof user !== 'string') return {};
  if (Object.keys(more).length > 0) rest['metadata'] = more as JsonObject;
  else delete rest['metadata'];
  return { user };
}

function withoutNulls(rest: Readonly<Record<string, unknown>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)) as Record<string, Json>;
}
