import type { DialectEnvironment } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { CacheHint, Json, Protocol, Warning, WarningCode } from '../../operations/shared.ts';
import type { AnthropicModel } from './models.ts';
import { type AnthropicQuirks, modelFacts, quirksOf } from './quirks.ts';

export const PROTOCOL: Protocol = 'anthropic-messages';

/** A wire object being built. */
export type Wire = Record<string, Json>;

/** Everything one `encodeRequest` knows and collects. */
export class Encoding {
  readonly environment: DialectEnvironment;
  readonly model: AnthropicModel;
  readonly quirks: AnthropicQuirks;
  readonly warnings: Warning[] = [];
  readonly betas = new Set<string>();
  /** Blocks that asked for a cache breakpoint, in the order the model reads them. */
  readonly breakpoints: { readonly block: Wire; readonly hint: CacheHint; readonly path: string }[] = [];
  /** The facts of our own door, if the request came through it. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(environment: DialectEnvironment) {
    this.environment = environment;
    this.model = modelFacts(environment);
    this.quirks = quirksOf(environment);
    this.facts = environment.facts?.['protocol'] === PROTOCOL ? environment.facts : {};
    for (const beta of this.quirks.betas ?? []) this.betas.add(beta);
  }

  /** Something changes what the answer means and has no substitute here. */
  refuse(feature: string, path: string, why: string): never {
    const { target } = this.environment;
    throw new GatewayError('unsupported', `${target.provider}/${target.model} cannot do ${feature}: ${why}`, {
      target,
      field: path,
    });
  }

  /** Something is lost or weakened but the answer still means the same: a warning, or a refusal when strict. */
  lose(code: WarningCode, feature: string, path: string, message: string): void {
    if (this.environment.strict === true) this.refuse(feature, path, message);
    this.warnings.push({ code, feature, path, message });
  }

  /** Notes a breakpoint; `placeBreakpoints` writes the ones that fit. */
  cache(block: Wire, hint: CacheHint | undefined, path: string): void {
    if (hint === undefined) return;
    // A hint on a message and one on its last part are the same breakpoint; the later word counts.
    if (this.breakpoints.at(-1)?.block === block) this.breakpoints.pop();
    this.breakpoints.push({ block, hint, path });
  }
}
