import type { OpenAiChatQuirks } from '../../dialects/openai-chat/quirks.ts';

/** What is known of a server that speaks OpenAI Chat Completions. */
export interface CompatibleEndpoint {
  readonly baseURL: string;
  /** The official variable of its key; absent where the server needs none. */
  readonly keyVariable?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly embeddings?: boolean;
  readonly quirks?: OpenAiChatQuirks;
}

/** What most of them share: the older words, and no developer role. */
const COMMON: OpenAiChatQuirks = {
  maxTokensField: 'max_tokens',
  developerRole: false,
  userField: 'user',
  customTools: false,
  allowedTools: false,
  reasoningModel: false,
};

/**
 * Endpoints by name. Base URLs and variables: SDK captures, the tokenlens catalogue and genai-prices, read 2026-11-22;
 * quirks are general knowledge of the same date and were not tried against the servers.
 */
export const ENDPOINTS: Readonly<Record<string, CompatibleEndpoint>> = {
  gemini: {
    baseURL: 'https://generativelanguage.googleapis.com/v1beta/openai',
    keyVariable: 'GEMINI_API_KEY',
    embeddings: true,
    quirks: COMMON,
  },
  mistral: {
    baseURL: 'https://api.mistral.ai/v1',
    keyVariable: 'MISTRAL_API_KEY',
    embeddings: true,
    quirks: {
      ...COMMON,
      toolChoiceRequired: 'any',
      toolIds: 'nine',
      seedField: 'random_seed',
      reasoningField: 'thinking',
      prefixField: 'prefix',
      userField: 'none',
      streamOptions: false,
    },
  },
  groq: {
    baseURL: 'https://api.groq.com/openai/v1',
    keyVariable: 'GROQ_API_KEY',
    quirks: { ...COMMON, maxTokensField: 'max_completion_tokens', reasoningField: 'reasoning' },
  },
  deepseek: {
    baseURL: 'https://api.deepseek.com',
    keyVariable: 'DEEPSEEK_API_KEY',
    quirks: { ...COMMON, reasoningField: 'reasoning_content', outputSchema: 'json' },
  },
  xai: {
    baseURL: 'https://api.x.ai/v1',
    keyVariable: 'XAI_API_KEY',
    quirks: { ...COMMON, maxTokensField: 'max_completion_tokens' },
  },
  together: {
    baseURL: 'https://api.together.xyz/v1',
    keyVariable: 'TOGETHER_API_KEY',
    embeddings: true,
    quirks: { ...COMMON, sampling: ['top_k', 'min_p', 'repetition_penalty'] },
  },
  fireworks: {
    baseURL: 'https://api.fireworks.ai/inference/v1',
    keyVariable: 'FIREWORKS_API_KEY',
    embeddings: true,
    quirks: { ...COMMON, sampling: ['top_k', 'min_p', 'repetition_penalty'], reasoningField: 'reasoning_content' },
  },
  openrouter: {
    baseURL: 'https://openrouter.ai/api/v1',
    keyVariable: 'OPENROUTER_API_KEY',
    quirks: {
      ...COMMON,
      sampling: ['top_k', 'min_p', 'repetition_penalty'],
      reasoningField: 'reasoning',
      cacheField: 'cache_control',
    },
  },
  cerebras: {
    baseURL: 'https://api.cerebras.ai/v1',
    keyVariable: 'CEREBRAS_API_KEY',
    quirks: { ...COMMON, maxTokensField: 'max_completion_tokens' },
  },
  perplexity: {
    baseURL: 'https://api.perplexity.ai',
    keyVariable: 'PERPLEXITY_API_KEY',
    quirks: { ...COMMON, streamOptions: false },
  },
  cohere: {
    baseURL: 'https://api.cohere.ai/compatibility/v1',
    keyVariable: 'COHERE_API_KEY',
    embeddings: true,
    quirks: COMMON,
  },
  moonshot: {
    baseURL: 'https://api.moonshot.ai/v1',
    keyVariable: 'MOONSHOT_API_KEY',
    quirks: { ...COMMON, reasoningField: 'reasoning_content' },
  },
  qwen: {
    baseURL: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    keyVariable: 'DASHSCOPE_API_KEY',
    embeddings: true,
    quirks: { ...COMMON, reasoningField: 'reasoning_content' },
  },
  zai: {
    baseURL: 'https://api.z.ai/api/paas/v4',
    keyVariable: 'ZHIPU_API_KEY',
    quirks: { ...COMMON, reasoningField: 'reasoning_content' },
  },
  nvidia: {
    baseURL: 'https://integrate.api.nvidia.com/v1',
    keyVariable: 'NVIDIA_API_KEY',
    embeddings: true,
    quirks: COMMON,
  },
  huggingface: { baseURL: 'https://router.huggingface.co/v1', keyVariable: 'HF_TOKEN', quirks: COMMON },
  deepinfra: {
    baseURL: 'https://api.deepinfra.com/v1/openai',
    keyVariable: 'DEEPINFRA_API_KEY',
    embeddings: true,
    quirks: COMMON,
  },
  github: {
    baseURL: 'https://models.github.ai/inference',
    keyVariable: 'GITHUB_TOKEN',
    embeddings: true,
    quirks: COMMON,
  },
  baseten: { baseURL: 'https://inference.baseten.co/v1', keyVariable: 'BASETEN_API_KEY', quirks: COMMON },
  ollama: { baseURL: 'http://127.0.0.1:11434/v1', embeddings: true, quirks: COMMON },
  lmstudio: { baseURL: 'http://127.0.0.1:1234/v1', embeddings: true, quirks: COMMON },
  vllm: {
    baseURL: 'http://127.0.0.1:8000/v1',
    embeddings: true,
    quirks: {
      ...COMMON,
      sampling: ['top_k', 'min_p', 'repetition_penalty'],
      guided: 'structured-outputs',
      reasoningField: 'reasoning_content',
    },
  },
};
