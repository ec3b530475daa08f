import type { DialectEnvironment, EncodedRequest } from '../../core/dialect.ts';
import { mergeNative, recordOf } from '../../core/wire-json.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { Json } from '../../operations/shared.ts';
import { inputItems } from './input.ts';
import { Losses } from './losses.ts';
import { thinks } from './models.ts';
import { PROTOCOL, type Written } from './protocol.ts';
import { noteLosses, outputControl, reasoningControl, sampling } from './request-options.ts';
import { encodeToolChoice, encodeTools } from './tools.ts';

/** What the door remembers of a request in this protocol, so that it can be written as it came. */
export interface RequestFacts {
  /** `input` was plain text, or there was none. */
  readonly input?: 'text' | 'none';
  /** The caller's word for `user`, where it used the old one. */
  readonly user?: 'user';
  /** The body said `stream: false`. */
  readonly stream?: false;
}

/** A canonical request as body of `POST /responses`. */
export function encodeRequest(request: ChatRequest, environment: DialectEnvironment): EncodedRequest {
  const losses = new Losses(environment);
  const facts = recordOf(environment.facts?.[PROTOCOL]) as RequestFacts | undefined;
  const own = facts !== undefined;
  // Stored unless told otherwise is the server's default, not ours: only a caller of this protocol may rely on it.
  const store = request.conversation?.store ?? (own ? undefined : false);
  const items = inputItems({ request, losses, keepIds: own || store === true, own });
  const tools = request.tools === undefined ? undefined : encodeTools(request.tools, losses, own);
  noteLosses(request, losses);
  const body: Written = {
    model: environment.target.model,
    ...instructions(request, losses),
    ...((items.length > 0 || facts?.input !== 'none') && { input: asText(items, facts) ?? items }),
    ...(tools !== undefined && { tools }),
    ...(request.toolChoice !== undefined && {
      tool_choice: encodeToolChoice(request.toolChoice, request.tools ?? []),
    }),
    ...(request.parallelToolCalls !== undefined && { parallel_tool_calls: request.parallelToolCalls }),
    ...(request.maxToolCalls !== undefined && { max_tool_calls: request.maxToolCalls }),
    ...outputControl(request, losses, own),
    ...reasoningControl(request, environment, losses, own),
    ...(request.maxTokens !== undefined && { max_output_tokens: request.maxTokens }),
    ...sampling(request, environment, losses, own),
    ...caching(request, losses),
    ...(request.tier !== undefined && { service_tier: request.tier }),
    ...(request.user !== undefined && { [facts?.user ?? 'safety_identifier']: request.user }),
    ...(request.metadata !== undefined && { metadata: request.metadata }),
    ...conversation(request),
    ...(store !== undefined && { store }),
    ...includes(request, environment, store, own),
    ...(request.background !== undefined && { background: request.background }),
    ...truncation(request),
    ...(environment.stream ? { stream: true } : facts?.stream === false && { stream: false }),
  };
  return { path: '/responses', body: mergeNative(body, request.native, PROTOCOL), warnings: losses.warnings };
}

function instructions(request: ChatRequest, losses: Losses): Written {
  if (request.system === undefined || request.system.length === 0) return {};
  if (request.system.some((part) => part.cache !== undefined)) {
    losses.note('degraded', 'cache', 'instructions take no cache breakpoint; caching is automatic.', 'system');
  }
  return { instructions: request.system.map((part) => part.text).join('\n\n') };
}

function asText(items: readonly Written[], facts: RequestFacts | undefined): string | undefined {
  const only = items[0];
  if (facts?.input !== 'text' || items.length !== 1 || only?.['role'] !== 'user') return undefined;
  return typeof only['content'] === 'string' ? only['content'] : undefined;
}

const TTLS: Readonly<Record<string, string>> = { '5m': '30m', '30m': '30m', '1h': '30m', '12h': '12h' };

function caching(request: ChatRequest, losses: Losses): Written {
  const { key, ttl, mode } = request.cache ?? {};
  if (mode === 'off') losses.note('unsupported', 'cache.mode', 'prompt caching cannot be switched off here.');
  const nearest = ttl === undefined ? undefined : TTLS[ttl];
  if (nearest !== undefined && nearest !== ttl) losses.note('clamped', 'cache.ttl', `${ttl} became ${nearest}.`);
  const options: Written = {
    ...(mode === 'auto' && { mode: 'implicit' }),
    ...(mode === 'explicit' && { mode: 'explicit' }),
    ...(nearest !== undefined && { ttl: nearest }),
  };
  return {
    ...(key !== undefined && { prompt_cache_key: key }),
    ...(ttl === '24h' && { prompt_cache_retention: '24h' }),
    ...(Object.keys(options).length > 0 && { prompt_cache_options: options }),
  };
}

function conversation(request: ChatRequest): Written {
  const { previousResponseId, id } = request.conversation ?? {};
  return {
    ...(previousResponseId !== undefined && { previous_response_id: previousResponseId }),
    ...(id !== undefined && { conversation: id }),
  };
}

/** What is not stored must come back sealed, or the next turn loses the model's thinking. */
function includes(
  request: ChatRequest,
  environment: DialectEnvironment,
  store: boolean | undefined,
  own: boolean,
): Written {
  const include: Json[] = [];
  const asked = request.reasoning?.effort !== undefined && request.reasoning.effort !== 'none';
  if (store === false && !own && (asked || thinks(environment))) include.push('reasoning.encrypted_content');
  // A caller of this protocol who gave a number has said in its own list whether it wants them.
  const wanted = own ? request.logprobs === true : request.logprobs !== undefined && request.logprobs !== false;
  if (wanted) include.push('message.output_text.logprobs');
  const listed = request.native?.[PROTOCOL]?.['include'];
  // The caller's own list replaces ours on merge, so ours has to be in it.
  if (Array.isArray(listed)) return {};
  return include.length > 0 ? { include } : {};
}

function truncation(request: ChatRequest): Written {
  if (request.truncation === undefined) return {};
  if (request.truncation === 'compact') return { context_management: [{ type: 'compaction' }] };
  return { truncation: request.truncation };
}
