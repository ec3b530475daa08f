/** What every operation speaks: JSON, usage, warnings, targets, media sources and the `native` escape hatch. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
/** A JSON Schema document (draft 2020-12 unless the target needs another). */
export type JsonSchema = { readonly [key: string]: unknown };

/** A wire protocol, not a vendor: replay data is only valid inside one protocol. */
export type Protocol = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | (string & {});

/**
 * Fields for one protocol, deep-merged last over what its dialect encoded. Objects merge, arrays and scalars
 * replace, `null` is a value. Decoding parks here what has no canonical home, so that nothing is lost on the way back.
 */
export type Native = { readonly [protocol: string]: JsonObject };

/** Where an attempt goes. */
export interface Target {
  readonly provider: string;
  readonly model: string;
  readonly region?: string;
  /** Name of the credential used, when a provider has several. Never the credential itself. */
  readonly credential?: string;
}

export type Source =
  | { readonly kind: 'base64'; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }
  /** A file the provider keeps; `owner` is the provider instance that can read it. */
  | { readonly kind: 'file'; readonly id: string; readonly owner?: string }
  | { readonly kind: 'text'; readonly text: string };

export type CacheTtl = '5m' | '30m' | '1h' | '12h' | '24h';
/** Asks the provider to cache the prompt up to and including this item. */
export type CacheHint = true | { readonly ttl?: CacheTtl };

/** Disjoint: a token belongs to exactly one class. */
export type InputClass =
  | 'input'
  | 'inputAudio'
  | 'inputImage'
  | 'inputVideo'
  | 'inputDocument'
  | 'inputTool'
  | 'cacheRead'
  | 'cacheReadAudio'
  | 'cacheReadImage'
  | 'cacheReadVideo'
  | 'cacheWrite'
  | 'cacheWrite5m'
  | 'cacheWrite30m'
  | 'cacheWrite1h'
  | 'cacheWrite12h';
export type OutputClass = 'output' | 'reasoning' | 'outputAudio' | 'outputImage' | 'outputVideo' | 'rejectedPrediction';
export type TokenClass = InputClass | OutputClass;
/** Billed things that are not tokens. */
export type UnitClass =
  | 'webSearch'
  | 'webFetch'
  | 'fileSearch'
  | 'searchUnit'
  | 'codeSession'
  | 'image'
  | 'audioSeconds'
  | 'videoSeconds'
  | 'characters'
  | 'pages'
  | 'toolCall'
  | (string & {});

export type Tokens = Partial<Record<TokenClass, number>>;

/** What one model did inside the call. Each line is priced with its own model and tier. */
export interface UsageLine {
  readonly model: string;
  readonly role: 'main' | 'fallback' | 'declined' | 'compaction' | 'advisor' | 'tool' | (string & {});
  readonly tier?: string;
  readonly tokens: Tokens;
  readonly units?: Readonly<Partial<Record<UnitClass, number>>>;
}

export interface Usage {
  /** Sum of the input classes over all lines. */
  readonly input: number;
  /** Sum of the output classes over all lines. */
  readonly output: number;
  readonly total: number;
  readonly tokens: Tokens;
  readonly units?: Readonly<Partial<Record<UnitClass, number>>>;
  readonly lines: readonly UsageLine[];
  /** `reported` by the provider, `estimated` by us, `partial` (some of both) or `unknown`. */
  readonly quality: 'reported' | 'estimated' | 'partial' | 'unknown';
  readonly flags?: readonly ('split-estimated' | 'totals-mismatch')[];
  /** The provider's own usage object. */
  readonly raw?: Json;
  /** What the provider itself says the call cost, in US dollars, where it says so. */
  readonly reportedCostUsd?: number;
}

export type WarningCode =
  | 'unsupported'
  | 'clamped'
  | 'degraded'
  | 'dropped-part'
  | 'dropped-replay'
  | 'schema-rewritten'
  | 'id-rewritten'
  | 'deprecated'
  | 'provider'
  | 'other';

/** Something about the request could not be carried over exactly. Never silent. */
export interface Warning {
  readonly code: WarningCode;
  /** Where in the canonical request, like `messages[2].content[0]`. */
  readonly path?: string;
  readonly feature?: string;
  readonly message: string;
}

export interface RateLimitWindow {
  readonly scope: 'requests' | 'tokens' | 'input-tokens' | 'output-tokens' | (string & {});
  readonly limit?: number;
  readonly remaining?: number;
  /** Milliseconds from the reply until the window is full again. */
  readonly resetMs?: number;
}

/** What the transport saw around one exchange, common to all operations. */
export interface ResponseFacts {
  /** The provider's id of the response, or one of ours where it gave none. */
  readonly id: string;
  /** The model that answered, as the provider reports it. */
  readonly model: string;
  /** ISO-8601. */
  readonly createdAt: string;
  readonly requestId?: string;
  readonly rateLimit?: readonly RateLimitWindow[];
  readonly native?: Native;
}
