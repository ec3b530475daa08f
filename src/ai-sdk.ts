// For users.
export { fromAiSdk, type FromAiSdkOptions } from './ai-sdk/from-ai-sdk.ts';
export { embeddingModel, languageModel } from './ai-sdk/models.ts';
// The slice of the AI SDK's specification this speaks, for people who write models of their own.
export type { AiEmbeddingModel, AiLanguageModel, AnyEmbeddingModel, AnyLanguageModel } from './ai-sdk/specification.ts';
