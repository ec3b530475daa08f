import type { CounterStore } from './counter-store.ts';
import { invalidOptions } from './errors.ts';
import type { LimitRule } from './limit-rule.ts';
import type { StoreDownMode } from './limit-store.ts';
import { anything, checkOptions, milliseconds, oneOf, type OptionRule, wholeNumber } from './options.ts';

/** What `budget` and `rateLimit` have in common. */
export interface LimitOptions {
  /** The limits. All that apply to an attempt must admit it. The configuration's `options` may replace them while calls run. */
  readonly limits: readonly LimitRule[];
  /** Where is counted: `redisCounterStore` for many processes. @defaultValue the memory of this process */
  readonly store?: CounterStore;
  /**
   * While the store is away: `deny` refuses every attempt, `localShare` lets each process use its part of the limits,
   * `allow` lets everything pass. What passed is counted when the store is back. The mode is told by a `limit-mode`
   * event.
   *
   * @defaultValue 'deny'
   */
  readonly onStoreDown?: StoreDownMode;
  /** Processes that share the store, for `localShare`. */
  readonly replicas?: number;
  /**
   * When a limit says no: `deny` throws at once, `wait` waits in a queue (by the call's priority, then in the order they
   * came) for at most `waitMsMax`, `{ model }` sends chat calls to another model if that one is within the limits.
   *
   * @defaultValue 'deny'
   */
  readonly onExhausted?: 'deny' | 'wait' | { readonly model: string };
  /** Longest wait in the queue, in milliseconds. @defaultValue 30_000 */
  readonly waitMsMax?: number;
  /** Most calls in the queue; of more, the least important that came last is refused. @defaultValue 1_000 */
  readonly queuedCallsMax?: number;
  /**
   * What becomes of a reservation whose process died: given back, or taken as used in full.
   *
   * @defaultValue 'release'
   */
  readonly onExpire?: 'release' | 'charge';
  /** How long after its call's deadline a reservation nobody ended expires, in milliseconds. @defaultValue 30_000 */
  readonly graceMs?: number;
  /** Output tokens to reserve for a request that sets no `maxTokens`. @defaultValue 4_096, or the model's most if that is less */
  readonly outputTokens?: number;
  /** Added to the estimate of input tokens, as a part of it: 0.1 is a tenth. @defaultValue 0.1 */
  readonly inputMargin?: number;
}

export const OUTPUT_TOKENS = 4_096;
export const INPUT_MARGIN = 0.1;

const exhausted: OptionRule = (value) => {
  if (value === 'deny' || value === 'wait') return undefined;
  const model: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'model') : undefined;
  const isModel = typeof model === 'string' && model !== '' && Object.keys(value as object).length === 1;
  return isModel ? undefined : "expected 'deny', 'wait' or { model: 'name' }";
};
const counterStore: OptionRule = (value) => {
  const has = (name: string): boolean =>
    typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
  return has('reserve') && has('settle') && has('release')
    ? undefined
    : 'expected a counter store, like memoryCounterStore() or redisCounterStore({ client })';
};
const margin: OptionRule = (value) =>
  typeof value === 'number' && value >= 0 && value <= 10 ? undefined : 'expected a number from 0 to 10';

const RULES: Readonly<Record<string, OptionRule>> = {
  limits: anything,
  store: counterStore,
  onStoreDown: oneOf('deny', 'localShare', 'allow'),
  replicas: wholeNumber(1),
  onExhausted: exhausted,
  waitMsMax: milliseconds,
  queuedCallsMax: wholeNumber(1),
  onExpire: oneOf('release', 'charge'),
  graceMs: wholeNumber(0, 3_600_000),
  outputTokens: wholeNumber(1),
  inputMargin: margin,
};

/** Checks the options of a middleware that limits. An option that would do nothing is refused like an unknown one. */
export function checkLimitOptions(
  factory: string,
  options: Partial<LimitOptions>,
  own: Readonly<Record<string, OptionRule>>,
): void {
  checkOptions(factory, options, { ...RULES, ...own });
  for (const name of ['limits', 'store'] as const) {
    // A store that was meant to be there and is not would count in each process by itself.
    if (Object.hasOwn(options, name) && options[name] === undefined)
      throw invalidOptions(`${factory}.${name}`, 'is undefined; give one, or leave the option out.');
  }
  const without = (name: keyof LimitOptions, needed: string): void => {
    if (options[name] !== undefined) throw invalidOptions(`${factory}.${name}`, `means nothing without ${needed}.`);
  };
  if (options.store === undefined) without('onStoreDown', 'a `store`');
  if (options.onStoreDown !== 'localShare') without('replicas', "`onStoreDown: 'localShare'`");
  else if (options.replicas === undefined)
    throw invalidOptions(`${factory}.replicas`, '`localShare` needs to know how many processes share the limits.');
  if (options.onExhausted !== 'wait') {
    without('waitMsMax', "`onExhausted: 'wait'`");
    without('queuedCallsMax', "`onExhausted: 'wait'`");
  }
}
