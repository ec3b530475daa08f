import type { DialectEnvironment } from '../../core/dialect.ts';

/**
 * What a server that speaks this protocol does differently from OpenAI itself. Every flag left out means OpenAI.
 * Given through `environment.quirks`.
 */
export interface OpenAiChatQuirks {
  /** Name of the output limit. Default `max_completion_tokens`. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  /** Where reasoning of earlier turns is sent back. Default `none`: it is left out. `thinking`: Mistral's chunks. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning' | 'thinking' | 'none';
  /** Whether the role `developer` is known. Default `true`; `false` sends `system`. */
  readonly developerRole?: boolean;
  /** Whether `stream_options` is known. Default `true`; `false` never asks for usage in a stream. */
  readonly streamOptions?: boolean;
  /** Whether message content may be an array. Default `true`; `false` joins text into one string. */
  readonly arrayContent?: boolean;
  /** Whether the model refuses sampling parameters. Default: told by the name (`o3`, `gpt-5`, …). */
  readonly reasoningModel?: boolean;
  /** Sampling parameters known beyond OpenAI's own. Default none. */
  readonly sampling?: readonly ('top_k' | 'min_p' | 'repetition_penalty')[];
  /** Name of the seed. Default `seed`; Mistral says `random_seed`. */
  readonly seedField?: 'seed' | 'random_seed';
  /** Name of the end user. Default `safety_identifier`; older servers know `user`. */
  readonly userField?: 'safety_identifier' | 'user' | 'none';
  /** The word for a tool call of the model's choice that must happen. Default `required`; Mistral says `any`. */
  readonly toolChoiceRequired?: 'required' | 'any';
  /** Whether tool calls may be limited by `allowed_tools`. Default `true`; `false` sends only those tools. */
  readonly allowedTools?: boolean;
  /** Whether freeform (`custom`) tools are known. Default `true`. */
  readonly customTools?: boolean;
  /** Whether `strict` of tools and schemas is known. Default `true`; `false` leaves it out. */
  readonly strict?: boolean;
  /** `nine`: call ids are exactly nine letters or digits (Mistral). Default: at most 40 characters. */
  readonly toolIds?: 'any' | 'nine';
  /** How an answer schema travels. `json`: `json_object` and the schema in words. Default `schema`. */
  readonly outputSchema?: 'schema' | 'json';
  /** `structured-outputs`: vLLM's field for choices, patterns and grammars. Default none. */
  readonly guided?: 'structured-outputs';
  /** Field of prompt-cache breakpoints on parts. Default: sent only if the request's cache mode is `explicit`. */
  readonly cacheField?: 'prompt_cache_breakpoint' | 'cache_control' | 'none';
  /** Field that asks to continue the last assistant message. Default none. */
  readonly prefixField?: 'prefix';
  /** Whether `video_url` parts are known. Default `false`. */
  readonly video?: boolean;
}

/** The quirks of this call. Flags are taken at their word: they come from code, not from the wire. */
export function quirksOf(environment: DialectEnvironment): OpenAiChatQuirks {
  return (environment.quirks ?? {}) as OpenAiChatQuirks;
}

/** What the door remembered of the application's own words, if it speaks this protocol. */
export interface OpenAiChatFacts {
  readonly protocol: 'openai-chat';
  readonly model: string;
  /** Names of fields for which the protocol has two words. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  readonly userField?: 'safety_identifier' | 'user';
  readonly seedField?: 'seed' | 'random_seed';
  readonly toolChoiceRequired?: 'required' | 'any';
  readonly cacheField?: 'prompt_cache_breakpoint' | 'cache_control';
  readonly stopIsString?: boolean;
  readonly textFormat?: boolean;
  /** What the application wrote for `stream`, if it wrote it. */
  readonly stream?: boolean | null;
  readonly streamOptions?: Readonly<Record<string, unknown>> | null;
  /** The application uses `functions`, so the answer must come as `function_call`. */
  readonly legacyFunctions?: boolean;
  readonly extraSampling?: readonly string[];
}

export function factsOf(environment: DialectEnvironment): OpenAiChatFacts | undefined {
  const { facts } = environment;
  return facts?.['protocol'] === 'openai-chat' ? (facts as unknown as OpenAiChatFacts) : undefined;
}

/** Whether the name is that of an OpenAI model that thinks, and so takes no sampling parameters. */
export function isReasoningModel(model: string): boolean {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  if (name.includes('-chat')) return false;
  return /^(o[1-9](-|$)|gpt-([5-9]|\d\d)|codex-)/.test(name);
}

/** What the door remembered of an embedding request. */
export interface EmbedFacts {
  readonly protocol: 'openai-chat';
  readonly model: string;
  readonly inputIsString?: boolean;
  readonly encoding?: 'float' | 'base64';
}

export function embedFactsOf(environment: DialectEnvironment): EmbedFacts | undefined {
  return factsOf(environment) as EmbedFacts | undefined;
}
