import type { DialectEnvironment, EncodedRequest } from '../../core/dialect.ts';
import { mergeNative, stringOf } from '../../core/wire-json.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import { cacheControl, placeBreakpoints } from './cache-control.ts';
import { Encoding, PROTOCOL, type Wire } from './encoding.ts';
import { encodeMessages } from './messages.ts';
import { encodeOutput } from './output.ts';
import { SAMPLING_VERSION } from './quirks.ts';
import { encodeSampling } from './sampling.ts';
import { barredThinking, encodeThinking } from './thinking.ts';
import { encodeTools } from './tools.ts';

/** A canonical request as the body of `POST /v1/messages`. */
export function encodeRequest(request: ChatRequest, environment: DialectEnvironment): EncodedRequest {
  const encoding = new Encoding(environment);
  refuseUnknown(request, encoding);
  const output = encodeOutput(request, encoding);
  // In reading order, because cache breakpoints count in it: tools, then system, then messages.
  const { forced, ...tools } = encodeTools(request, output.tool, encoding);
  const { system, messages } = encodeMessages(request, encoding);
  if (output.instruction !== undefined) system.push({ type: 'text', text: output.instruction });
  const { maxTokens, thinking, effort } = encodeThinking(request, barredThinking(forced, messages), encoding);
  const thinks = thinking !== undefined && thinking['type'] !== 'disabled';
  const sampling = encodeSampling(request, thinks, encoding);
  const config: Wire = {
    ...(effort !== undefined && { effort }),
    ...(output.format !== undefined && { format: output.format }),
  };
  const automatic = request.cache?.mode === 'auto';
  // Automatic caching takes one of the places, and so do breakpoints that came as native fields.
  const native = (tools.tools ?? []).filter((tool) => tool['cache_control'] !== undefined).length;
  if (request.cache?.mode !== 'off') placeBreakpoints(encoding, native + (automatic ? 1 : 0), request.cache?.ttl);
  const body: Wire = {
    model: environment.target.model,
    max_tokens: maxTokens,
    ...(system.length > 0 && { system }),
    messages,
    ...tools,
    ...sampling,
    ...(request.stop !== undefined && request.stop.length > 0 && { stop_sequences: request.stop }),
    ...(thinking !== undefined && { thinking }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
    ...(automatic && { cache_control: automaticCache(request, encoding) }),
    ...(request.user !== undefined && { metadata: { user_id: request.user } }),
    ...encodeTier(request.tier, encoding),
    ...(environment.stream && { stream: true }),
  };
  return {
    path: '/v1/messages',
    ...headersOf(Object.keys(sampling).length > 0, encoding),
    body: mergeNative(body, request.native, PROTOCOL),
    warnings: encoding.warnings,
  };
}

/** Breakpoints that the API sets itself. */
function automaticCache(request: ChatRequest, encoding: Encoding): Wire {
  const ttl = request.cache?.ttl;
  const control = cacheControl(ttl === undefined ? true : { ttl });
  if (ttl !== undefined && control['ttl'] !== ttl) {
    encoding.lose('clamped', 'cache', 'cache.ttl', `a cache lifetime of ${ttl} becomes ${String(control['ttl'])}`);
  }
  return control;
}

/** Sampling needs the older API version; betas are those of the caller, the quirks and the features used. */
function headersOf(sampled: boolean, encoding: Encoding): Pick<EncodedRequest, 'headers'> {
  const inbound = stringOf(encoding.facts['betas'])?.split(',') ?? [];
  const betas = new Set([...inbound.map((beta) => beta.trim()).filter((beta) => beta !== ''), ...encoding.betas]);
  if (!sampled && betas.size === 0) return {};
  return {
    headers: {
      ...(sampled && { 'anthropic-version': SAMPLING_VERSION }),
      ...(betas.size > 0 && { 'anthropic-beta': [...betas].join(',') }),
    },
  };
}

function encodeTier(tier: ChatRequest['tier'], encoding: Encoding): Wire {
  if (tier === undefined) return {};
  if (tier === 'fast') return { speed: 'fast' };
  if (tier === 'auto' || tier === 'priority') return { service_tier: 'auto' };
  if (tier === 'default') return { service_tier: 'standard_only' };
  encoding.lose('unsupported', 'tier', 'tier', `there is no tier ${tier}`);
  return {};
}

/** What this protocol has no word for: meaning is refused, tuning and observation are dropped with a warning. */
function refuseUnknown(request: ChatRequest, encoding: Encoding): void {
  if (request.n !== undefined && request.n > 1) encoding.refuse('several choices', 'n', 'ask n times');
  if (request.background === true) encoding.refuse('background work', 'background', 'there is none');
  if (request.conversation?.previousResponseId !== undefined || request.conversation?.id !== undefined) {
    encoding.refuse('stored conversations', 'conversation', 'send the messages');
  }
  for (const modality of request.modalities ?? []) {
    if (modality !== 'text') encoding.refuse(`${modality} answers`, 'modalities', 'only text is written');
  }
  for (const name of TUNING) {
    if (request[name] !== undefined) encoding.lose('unsupported', name, name, `${name} is not sent`);
  }
  if (request.logprobs !== undefined && request.logprobs !== false) {
    encoding.lose('unsupported', 'logprobs', 'logprobs', 'logprobs are not reported');
  }
  if (request.truncation !== undefined && request.truncation !== 'disabled') {
    encoding.lose('unsupported', 'truncation', 'truncation', 'nothing is truncated');
  }
  if (request.conversation?.store === true)
    encoding.lose('unsupported', 'store', 'conversation.store', 'nothing is stored');
  if (request.cache?.key !== undefined) encoding.lose('unsupported', 'cache', 'cache.key', 'caches have no key');
}

const TUNING = [
  'seed',
  'minP',
  'presencePenalty',
  'frequencyPenalty',
  'repetitionPenalty',
  'logitBias',
  'verbosity',
  'prediction',
  'maxToolCalls',
  'metadata',
  'audio',
] as const;
