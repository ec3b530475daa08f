import type { ResponseFacts, Native, Usage, Warning } from './shared.ts';

/** An embedding request in normal form. */
export interface EmbedRequest {
  readonly model: string;
  readonly input: readonly string[];
  readonly purpose?: 'query' | 'document' | 'similarity' | 'classification' | 'clustering' | (string & {});
  readonly dimensions?: number;
  /** Encoding of the vectors in `embeddings`. Default `float`. */
  readonly encoding?: 'float' | 'base64' | 'int8' | 'uint8' | 'binary' | 'ubinary';
  readonly user?: string;
  readonly native?: Native;
}

export interface Embedding {
  readonly index: number;
  /** Numbers, or the provider's text form for the encodings that are text. */
  readonly vector: readonly number[] | string;
}

export interface EmbedResponse extends ResponseFacts {
  readonly embeddings: readonly Embedding[];
  readonly encoding: NonNullable<EmbedRequest['encoding']>;
  readonly dimensions: number;
  readonly usage: Usage;
  readonly warnings: readonly Warning[];
  readonly raw?: unknown;
}
