import type { NodeConfiguration } from '../registry-configuration.ts';
import type { Call } from '../call.ts';
import type { Choose } from './strategies/custom.ts';
import type { RollbackOptions } from './trial.ts';

interface GroupBase {
  /** Share of the calls beside the others of the group around it. @defaultValue 1 */
  readonly weight?: number;
  readonly tags?: readonly string[];
  /** Request fields replaced when a target below is tried. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}
interface WithTargets extends GroupBase {
  readonly targets: readonly NodeConfiguration[];
}
/** A value of a call by its path, like `scope.session`, `scope.tags.team`, `metadata.tier` or `request.user`. */
export type CallPath = string;

/** One test of a value, or several that must all hold. */
export type ValueTest =
  | string
  | number
  | boolean
  | {
      readonly is?: string | number | boolean;
      readonly not?: string | number | boolean;
      readonly in?: readonly (string | number | boolean)[];
      readonly notIn?: readonly (string | number | boolean)[];
      readonly above?: number;
      readonly below?: number;
      readonly atLeast?: number;
      readonly atMost?: number;
      readonly startsWith?: string;
      readonly contains?: string;
      readonly exists?: boolean;
    };
/** Paths into the call and what must hold of their values; `all`, `any` and `not` combine. */
export type RuleCondition =
  | { readonly [path: CallPath]: ValueTest | RuleCondition | readonly RuleCondition[] }
  | ((call: Call) => boolean);

/** Targets or further groups, and how to choose among them. */
export type GroupConfiguration =
  | (WithTargets & { readonly strategy: 'ordered' | 'weighted' | 'round-robin' | 'least-busy' })
  | (WithTargets & {
      readonly strategy: 'latency';
      /** How much slower than the best still counts as equally good. @defaultValue 0.2 */
      readonly band?: number;
      /** Share of the calls that measure what the others leave out. @defaultValue 0.02 */
      readonly explore?: number;
    })
  | (WithTargets & { readonly strategy: 'throughput' /** @defaultValue 0.02 */; readonly explore?: number })
  | (WithTargets & {
      readonly strategy: 'cheapest';
      /** What one conversation has in common: its warm prompt cache is then counted. @defaultValue none */
      readonly warmKey?: CallPath;
      /** How long a prompt cache stays warm, in milliseconds. @defaultValue 300_000 */
      readonly warmMs?: number;
    })
  | (WithTargets & { readonly strategy: 'sticky'; readonly key: CallPath })
  | (WithTargets & {
      readonly strategy: 'spill-over';
      /** Calls in flight at which a target of weight 1 is full. @defaultValue 10 */
      readonly inFlightMax?: number;
    })
  | (WithTargets & { readonly strategy: 'custom'; readonly choose: Choose })
  | (GroupBase & {
      readonly strategy: 'rules';
      readonly rules: readonly { readonly when: RuleCondition; readonly use: NodeConfiguration }[];
      /** Where calls go for which no rule holds. Without it they have no target. */
      readonly otherwise?: NodeConfiguration;
    })
  | (GroupBase & {
      readonly strategy: 'canary';
      readonly stable: NodeConfiguration;
      readonly canary: NodeConfiguration;
      /** Share of the callers that get the canary, 0 to 1. */
      readonly share: number;
      /** What makes a caller. @defaultValue 'scope.user' */
      readonly key?: CallPath;
      /** Another name begins a new trial of the same canary. */
      readonly trial?: string;
      /** When it goes back by itself; `false`: never. @defaultValue {} */
      readonly rollback?: RollbackOptions | false;
    });
