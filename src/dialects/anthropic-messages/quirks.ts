import type { DialectEnvironment } from '../../core/dialect.ts';
import { type AnthropicModel, modelOf } from './models.ts';

/** What a server of this protocol does differently; the `quirks` of a {@link DialectEnvironment}. */
export interface AnthropicQuirks {
  /**
   * The `anthropic-version` the transport sends. `auto` means the newest, and that a request with sampling
   * parameters asks for `2023-06-01`, the last version that has them. With `2026-10-21` they are never sent.
   *
   * @defaultValue 'auto'
   */
  readonly apiVersion?: 'auto' | '2023-06-01' | '2026-10-21';
  /** `max_tokens` of a request that names none, in tokens. Absent: the model's own limit. */
  readonly maxTokens?: number;
  /** What a model accepts where the built-in table is wrong or silent. */
  readonly model?: (name: string) => Partial<AnthropicModel> | undefined;
  /** Values of `anthropic-beta` to send with every request. */
  readonly betas?: readonly string[];
}

/** The last API version with sampling parameters. */
export const SAMPLING_VERSION = '2023-06-01';

export function quirksOf(environment: Pick<DialectEnvironment, 'quirks'>): AnthropicQuirks {
  return (environment.quirks ?? {}) as AnthropicQuirks;
}

/** The table's entry for the target's model, with what the quirks say over it. */
export function modelFacts(environment: Pick<DialectEnvironment, 'quirks' | 'target'>): AnthropicModel {
  const name = environment.target.model;
  const override = quirksOf(environment).model?.(name);
  return override === undefined ? modelOf(name) : { ...modelOf(name), ...override };
}
