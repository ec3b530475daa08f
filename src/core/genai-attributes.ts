import type { ChatRequest } from '../operations/chat.ts';
import type { EmbedRequest } from '../operations/embed.ts';
import type { Tokens, Usage } from '../operations/shared.ts';
import type { CallFacts } from './call-facts.ts';
import type { Call } from './call.ts';
import type { ServerAddress } from './server-address.ts';
import { ATTRIBUTE, operationName, type Profile, providerName, type Semconv } from './genai-conventions.ts';

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Record<string, AttributeValue>;

/** What a sampler may decide on, and what the caller asked for. No content. */
export function requestAttributes(
  call: Call,
  semconv: Semconv,
  profile: Profile,
  server: ServerAddress | undefined,
): Attributes {
  const target = call.target ?? call.plan.candidates[0];
  const attributes: Attributes = {
    [ATTRIBUTE.operation]: operationName(call.operation),
    [ATTRIBUTE.provider]: providerName(target?.provider ?? 'unknown', semconv),
    [ATTRIBUTE.requestModel]: target?.model ?? call.request.model,
  };
  addServer(attributes, server);
  if (call.operation === 'chat') addChat(attributes, call.request as ChatRequest, call, profile);
  if (call.operation === 'embed') {
    const { dimensions, encoding } = call.request as EmbedRequest;
    set(attributes, ATTRIBUTE.dimensions, dimensions);
    if (encoding !== undefined) attributes[ATTRIBUTE.encodingFormats] = [encoding];
  }
  return attributes;
}

export function addServer(attributes: Attributes, server: ServerAddress | undefined): void {
  if (server === undefined) return;
  attributes[ATTRIBUTE.serverAddress] = server.address;
  attributes[ATTRIBUTE.serverPort] = server.port;
}

function addChat(attributes: Attributes, request: ChatRequest, call: Call, profile: Profile): void {
  if (call.stream) attributes[ATTRIBUTE.stream] = true;
  attributes[ATTRIBUTE.outputType] = outputType(request);
  set(attributes, ATTRIBUTE.conversation, call.scope.session ?? request.conversation?.id);
  if (request.n !== undefined && request.n !== 1) attributes[ATTRIBUTE.choiceCount] = request.n;
  set(attributes, ATTRIBUTE.seed, request.seed);
  set(attributes, ATTRIBUTE.maxTokens, request.maxTokens);
  set(attributes, ATTRIBUTE.temperature, request.temperature);
  set(attributes, ATTRIBUTE.topP, request.topP);
  set(attributes, ATTRIBUTE.topK, request.topK);
  set(attributes, ATTRIBUTE.frequencyPenalty, request.frequencyPenalty);
  set(attributes, ATTRIBUTE.presencePenalty, request.presencePenalty);
  set(attributes, ATTRIBUTE.stop, request.stop);
  if (profile.reasoningLevel !== undefined) set(attributes, profile.reasoningLevel, request.reasoning?.effort);
  if (profile.previousResponse !== undefined) {
    set(attributes, profile.previousResponse, request.conversation?.previousResponseId);
  }
  const isOpenAi = attributes[ATTRIBUTE.provider] === 'openai';
  if (isOpenAi && request.tier !== 'auto') set(attributes, ATTRIBUTE.openaiRequestTier, request.tier);
}

function outputType({ output, modalities }: ChatRequest): string {
  if (modalities?.includes('image') === true) return 'image';
  if (modalities?.includes('audio') === true) return 'speech';
  return output?.type === 'json' || output?.type === 'schema' ? 'json' : 'text';
}

/** What the call turned out to be. Usage only as far as it was received: an estimate is no telemetry. */
export function responseAttributes(
  call: Call,
  facts: CallFacts,
  semconv: Semconv,
  profile: Profile,
  server: ServerAddress | undefined,
): Attributes {
  const attributes: Attributes = {};
  const { target, usage, finish, error } = facts;
  if (target !== undefined) {
    attributes[ATTRIBUTE.provider] = providerName(target.provider, semconv);
    attributes[ATTRIBUTE.requestModel] = target.model;
    addServer(attributes, server);
    if (target.provider === 'openai') set(attributes, ATTRIBUTE.openaiResponseTier, facts.tier);
  }
  set(attributes, ATTRIBUTE.responseModel, facts.model);
  if (call.operation === 'chat') set(attributes, ATTRIBUTE.responseId, facts.responseId);
  if (finish !== undefined) attributes[ATTRIBUTE.finishReasons] = [finish.replace('-', '_')];
  if (isReceived(usage)) addUsage(attributes, call, usage, profile);
  if (facts.status === 'failed' && error !== undefined) attributes[ATTRIBUTE.errorType] = error.code;
  return attributes;
}

/** Whether a provider said so, at least in part. */
export function isReceived(usage: Usage | undefined): usage is Usage {
  return usage !== undefined && (usage.quality === 'reported' || usage.quality === 'partial');
}

function addUsage(attributes: Attributes, call: Call, usage: Usage, profile: Profile): void {
  attributes[ATTRIBUTE.inputTokens] = usage.input;
  if (call.operation !== 'chat') return;
  attributes[ATTRIBUTE.outputTokens] = usage.output;
  const read = tokensOf(usage.tokens, 'cacheRead');
  const written = tokensOf(usage.tokens, 'cacheWrite');
  if (read > 0) attributes[ATTRIBUTE.cacheReadTokens] = read;
  if (written > 0) attributes[profile.cacheWriteTokens] = written;
  if (usage.tokens.reasoning !== undefined) attributes[ATTRIBUTE.reasoningTokens] = usage.tokens.reasoning;
}

/** Tokens of all classes that begin so. */
export function tokensOf(tokens: Tokens, prefix: string): number {
  let sum = 0;
  for (const name in tokens) if (name.startsWith(prefix)) sum += tokens[name as keyof Tokens] ?? 0;
  return sum;
}

/** The conventions' word for what kind of thing a class of tokens stands for. */
export function modalityOf(tokenClass: string): 'text' | 'audio' | 'image' | 'unknown' {
  if (tokenClass.endsWith('Audio')) return 'audio';
  if (tokenClass.endsWith('Image')) return 'image';
  return tokenClass.endsWith('Video') || tokenClass.endsWith('Document') ? 'unknown' : 'text';
}

function set(attributes: Attributes, name: string, value: AttributeValue | undefined): void {
  if (value !== undefined) attributes[name] = value;
}
