import type { Target } from '../operations/shared.ts';

/** US dollars per million tokens, as numbers: for comparing targets. Bills take those of the configuration exactly as written. */
export interface RoughPrice {
  readonly input: number;
  readonly output: number;
  /** Input that the provider's prompt cache answers. Left out: `input`. */
  readonly cacheRead?: number;
}

/** What is known of a model before it is called. Whatever is absent is unknown, and unknown never excludes a target. */
export interface ModelFacts {
  readonly limits?: {
    /** Tokens of input and output together. */
    readonly context?: number;
    /** Tokens of one answer. */
    readonly output?: number;
  };
  /** Kinds of input it takes: `text`, `image`, `audio`, `video`, `file`. */
  readonly inputs?: readonly string[];
  /** Everything it can do beyond text, if the list is there at all: see `CAPABILITIES`. */
  readonly capabilities?: readonly string[];
  readonly price?: RoughPrice;
  readonly deprecated?: boolean;
  /** ISO date after which the vendor no longer serves it. */
  readonly retiresOn?: string;
}

/** Where facts come from that no configuration gives: a price list. */
export type FactsOf = (target: Target) => ModelFacts | undefined;

/** What a target may declare that it can do. */
export const CAPABILITIES = [
  'tools',
  'hosted-tools',
  'json',
  'schema',
  'reasoning',
  'image',
  'audio',
  'video',
  'file',
  'logprobs',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** What the configuration says wins over what a list says, field by field. */
export function mergedFacts(own: ModelFacts | undefined, listed: ModelFacts | undefined): ModelFacts | undefined {
  if (own === undefined || listed === undefined) return own ?? listed;
  const limits = { ...listed.limits, ...own.limits };
  return { ...listed, ...own, ...(Object.keys(limits).length > 0 && { limits }) };
}
