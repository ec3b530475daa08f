/**
 * Names of the OpenTelemetry GenAI conventions, in one place. `1.41` is the last tagged set (semantic-conventions
 * v1.41.1); `latest` is the separate GenAI repository, unreleased, as read in 2026-11.
 */
export type Semconv = '1.41' | 'latest';

export interface MetricName {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly buckets?: readonly number[];
}

const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] as const;
const TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
] as const;
const OVERHEAD_SECONDS = [
  0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1,
] as const;

/** Names that are the same in both profiles. */
export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  conversation: 'gen_ai.conversation.id',
  outputType: 'gen_ai.output.type',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  requestModel: 'gen_ai.request.model',
  choiceCount: 'gen_ai.request.choice.count',
  seed: 'gen_ai.request.seed',
  stream: 'gen_ai.request.stream',
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topP: 'gen_ai.request.top_p',
  topK: 'gen_ai.request.top_k',
  frequencyPenalty: 'gen_ai.request.frequency_penalty',
  presencePenalty: 'gen_ai.request.presence_penalty',
  stop: 'gen_ai.request.stop_sequences',
  encodingFormats: 'gen_ai.request.encoding_formats',
  dimensions: 'gen_ai.embeddings.dimension.count',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  tokenType: 'gen_ai.token.type',
  tokenModality: 'gen_ai.token.modality',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  systemInstructions: 'gen_ai.system_instructions',
  toolDefinitions: 'gen_ai.tool.definitions',
  openaiRequestTier: 'openai.request.service_tier',
  openaiResponseTier: 'openai.response.service_tier',
} as const;

/** Event of the conventions that carries content. */
export const DETAILS_EVENT = 'gen_ai.client.inference.operation.details';

/** Our own. */
export const POSTERN = {
  callId: 'postern.call.id',
  route: 'postern.route',
  status: 'postern.status',
  attempts: 'postern.attempts',
  fallbackFrom: 'postern.fallback.from',
  cache: 'postern.cache',
  similarity: 'postern.cache.similarity',
  cost: 'postern.cost.usd',
  budgetScope: 'postern.budget.scope',
  guardrail: 'postern.guardrail.outcome',
  redactions: 'postern.redactions',
  scope: 'postern.scope.',
  attemptEvent: 'postern.attempt',
  attemptNumber: 'postern.attempt.number',
  attemptStatus: 'postern.attempt.status',
  attemptDuration: 'postern.attempt.duration',
  attemptPurpose: 'postern.attempt.purpose',
  httpStatus: 'http.response.status_code',
} as const;

/** What the profiles call differently. */
export interface Profile {
  readonly cacheWriteTokens: string;
  /** Attributes that only this profile has. */
  readonly reasoningLevel?: string;
  readonly previousResponse?: string;
  /** Duration of inference; of everything else it is `otherDuration`. */
  readonly duration: MetricName;
  readonly otherDuration: MetricName;
  readonly timeToFirstChunk: MetricName;
  readonly timePerChunk: MetricName;
  /** One histogram by token type. */
  readonly tokens?: MetricName;
  /** Counters by modality, and histograms of whole operations. */
  readonly usage?: {
    readonly input: MetricName;
    readonly output: MetricName;
    readonly cacheRead: MetricName;
    readonly cacheWrite: MetricName;
    readonly reasoning: MetricName;
    readonly operationInput: MetricName;
    readonly operationOutput: MetricName;
  };
}

const seconds = (name: string, description: string): MetricName => ({
  name,
  unit: 's',
  description,
  buckets: SECONDS,
});
const counter = (name: string, description: string): MetricName => ({ name, unit: '{token}', description });
const tokens = (name: string, description: string): MetricName => ({ ...counter(name, description), buckets: TOKENS });

const OPERATION_DURATION = seconds('gen_ai.client.operation.duration', 'GenAI operation duration.');

export const PROFILES: Readonly<Record<Semconv, Profile>> = {
  '1.41': {
    cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
    duration: OPERATION_DURATION,
    otherDuration: OPERATION_DURATION,
    timeToFirstChunk: seconds('gen_ai.client.operation.time_to_first_chunk', 'Time to receive the first chunk.'),
    timePerChunk: seconds('gen_ai.client.operation.time_per_output_chunk', 'Time between two chunks.'),
    tokens: tokens('gen_ai.client.token.usage', 'Number of input and output tokens used.'),
  },
  latest: {
    cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
    reasoningLevel: 'gen_ai.request.reasoning.level',
    previousResponse: 'gen_ai.request.previous_response.id',
    duration: seconds('gen_ai.client.inference.duration', 'Inference duration.'),
    otherDuration: OPERATION_DURATION,
    timeToFirstChunk: seconds('gen_ai.client.inference.time_to_first_chunk', 'Time to receive the first chunk.'),
    timePerChunk: seconds('gen_ai.client.inference.time_per_output_chunk', 'Time between two chunks.'),
    usage: {
      input: counter('gen_ai.client.inference.usage.input_tokens', 'Input tokens used.'),
      output: counter('gen_ai.client.inference.usage.output_tokens', 'Output tokens used.'),
      cacheRead: counter('gen_ai.client.inference.usage.cache_read.input_tokens', 'Input tokens read from a cache.'),
      cacheWrite: counter('gen_ai.client.inference.usage.cache_write.input_tokens', 'Input tokens written to a cache.'),
      reasoning: counter('gen_ai.client.inference.usage.reasoning.output_tokens', 'Output tokens used to reason.'),
      operationInput: tokens('gen_ai.client.inference.operation.input_tokens', 'Input tokens of one operation.'),
      operationOutput: tokens('gen_ai.client.inference.operation.output_tokens', 'Output tokens of one operation.'),
    },
  },
};

/** Our own metrics. */
export const OVERHEAD_METRIC: MetricName = {
  name: 'postern.gateway.overhead',
  unit: 's',
  description: 'Time of a call before its first attempt and after its last.',
  buckets: OVERHEAD_SECONDS,
};
export const ATTEMPTS_METRIC: MetricName = {
  name: 'postern.attempts',
  unit: '{attempt}',
  description: 'Attempts, however they ended.',
};

const OPERATIONS: Readonly<Record<string, string>> = { chat: 'chat', embed: 'embeddings' };

export function operationName(operation: string): string {
  return OPERATIONS[operation] ?? operation;
}

/** The conventions' word for a provider of ours; a name they do not know stays as it is. */
const PROVIDERS: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  'azure-openai': 'azure.ai.openai',
  'azure-ai': 'azure.ai.inference',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  google: 'gcp.gen_ai',
  vertex: 'gcp.vertex_ai',
  watsonx: 'ibm.watsonx.ai',
  mistral: 'mistral_ai',
  xai: 'x_ai',
};
const PROVIDERS_LATEST: Readonly<Record<string, string>> = { moonshot: 'moonshot_ai' };

export function providerName(provider: string, semconv: Semconv): string {
  return PROVIDERS[provider] ?? (semconv === 'latest' ? PROVIDERS_LATEST[provider] : undefined) ?? provider;
}
