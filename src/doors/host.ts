import type { Call, Plan, Reply, Scope } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import type { Provider } from '../core/provider.ts';
import type { Registry } from '../core/registry.ts';
import type { WireCall } from '../core/wire.ts';
import type { OperationName, Operations } from '../operations/index.ts';

/** What a door needs of its gateway. */
export interface DoorHost {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Whether the gateway tries again by itself, so that the SDK must not. */
  readonly retries: boolean;
  /** The configuration in force. */
  registry(): Registry;
  /** Makes a call; the same entry as the gateway's own methods. */
  begin<K extends OperationName>(operation: K, request: Operations[K]['request'], options: DoorCallOptions): Call<K>;
  run<K extends OperationName>(call: Call<K>): Promise<Reply<K>>;
  /** What the call has cost so far, in nano-dollars, where a middleware knows. */
  spentNanoUsd(call: Call): bigint | undefined;
}

export interface DoorCallOptions {
  readonly stream: boolean;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly scope?: Scope;
  readonly wire: WireCall;
  readonly attemptsMax?: number;
}
