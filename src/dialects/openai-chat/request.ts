import type { DialectEnvironment, EncodedRequest } from '../../core/dialect.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { mergeWire } from './hints.ts';
import { Losses } from './losses.ts';
import { factsOf, isReasoningModel, type OpenAiChatFacts, type OpenAiChatQuirks, quirksOf } from './quirks.ts';
import { encodeMessages } from './request-messages.ts';
import { encodeOutput } from './request-output.ts';
import { encodeSampling } from './request-sampling.ts';
import { encodeTools } from './request-tools.ts';

/** What every part of the encoding looks at. */
export interface Encoding {
  readonly request: ChatRequest;
  readonly environment: DialectEnvironment;
  readonly quirks: OpenAiChatQuirks;
  /** The application's own words, where it came through the door of this protocol. */
  readonly facts: OpenAiChatFacts | undefined;
  /** The application wrote this request for this very model: it is sent as written, wise or not. */
  readonly verbatim: boolean;
  readonly reasoningModel: boolean;
  readonly losses: Losses;
}

/** A canonical request as the body of `POST /chat/completions`. Options that are not set are not sent. */
export function encodeRequest(request: ChatRequest, environment: DialectEnvironment): EncodedRequest {
  const quirks = quirksOf(environment);
  const facts = factsOf(environment);
  const { model } = environment.target;
  const encoding: Encoding = {
    request,
    environment,
    quirks,
    facts,
    verbatim: facts !== undefined && (facts.model === model || facts.model.endsWith(`/${model}`)),
    reasoningModel: quirks.reasoningModel ?? isReasoningModel(model),
    losses: new Losses(environment),
  };
  const { instruction, ...output } = encodeOutput(encoding);
  const body: Record<string, Json> = {
    model,
    messages: encodeMessages(encoding, instruction),
    ...encodeTools(encoding),
    ...output,
    ...encodeSampling(encoding),
    ...encodeEconomy(encoding),
    ...encodeStream(encoding),
  };
  refuseState(encoding);
  return {
    path: '/chat/completions',
    body: mergeWire<JsonObject>(body, request.native),
    warnings: encoding.losses.warnings,
  };
}

/** Usage is always asked for: without it a stream cannot be billed. The door hides it from who did not ask. */
function encodeStream({ environment, quirks, facts }: Encoding): Record<string, Json> {
  const asked = facts?.streamOptions;
  if (!environment.stream) {
    const wrote = facts?.stream === false || facts?.stream === null;
    return {
      ...(wrote && { stream: facts.stream as boolean | null }),
      ...(asked !== undefined && { stream_options: asked as JsonObject | null }),
    };
  }
  if (quirks.streamOptions === false) return { stream: true };
  return { stream: true, stream_options: { ...(asked as JsonObject | null), include_usage: true } };
}

/** Prompt cache, service tier, the end user and metadata. */
function encodeEconomy({ request, quirks, facts, losses }: Encoding): Record<string, Json> {
  const { cache, tier, user, metadata, prediction, audio, modalities } = request;
  const body: Record<string, Json> = {};
  if (cache?.key !== undefined) body['prompt_cache_key'] = cache.key;
  if (cache?.mode === 'off')
    losses.warn('unsupported', 'cache.mode', 'cache', 'OpenAI caches prompts by itself; it cannot be told not to.');
  const options: Record<string, Json> = {};
  if (cache?.mode === 'explicit') options['mode'] = 'explicit';
  if (cache?.mode === 'auto') options['mode'] = 'implicit';
  if (cache?.ttl === '30m') options['ttl'] = '30m';
  else if (cache?.ttl === '24h') body['prompt_cache_retention'] = '24h';
  else if (cache?.ttl !== undefined) {
    losses.warn(
      'degraded',
      'cache.ttl',
      'cache',
      `A prompt cache of ${cache.ttl} is not offered; the default is used.`,
    );
  }
  if (Object.keys(options).length > 0) body['prompt_cache_options'] = options;
  if (tier !== undefined) body['service_tier'] = tier;
  if (user !== undefined) {
    const field = facts?.userField ?? quirks.userField ?? 'safety_identifier';
    if (field === 'none') losses.warn('unsupported', 'user', 'user', 'This server takes no end user.');
    else body[field] = user;
  }
  if (metadata !== undefined) body['metadata'] = metadata;
  if (prediction !== undefined) body['prediction'] = { type: 'content', content: prediction };
  if (modalities !== undefined) body['modalities'] = modalities;
  if (audio !== undefined) body['audio'] = { ...audio };
  if (request.conversation?.store !== undefined) body['store'] = request.conversation.store;
  return body;
}

/** State the provider would have to keep: this protocol keeps none. */
function refuseState({ request, losses }: Encoding): void {
  const { conversation, background, truncation, maxToolCalls } = request;
  if (conversation?.previousResponseId !== undefined) {
    losses.refuse('conversation.previousResponseId', 'an earlier response to continue from');
  }
  if (conversation?.id !== undefined) losses.refuse('conversation.id', 'a conversation the provider keeps');
  if (background === true) losses.refuse('background', 'work in the background');
  if (truncation !== undefined && truncation !== 'disabled') {
    losses.warn('unsupported', 'truncation', 'truncation', 'This protocol does not shorten a prompt that is too long.');
  }
  if (maxToolCalls !== undefined) {
    losses.warn(
      'unsupported',
      'maxToolCalls',
      'maxToolCalls',
      'This protocol does not limit the number of tool calls.',
    );
  }
}
