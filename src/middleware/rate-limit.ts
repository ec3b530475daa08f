import { invalidOptions } from '../core/errors.ts';
import { HeaderLimits } from '../core/header-limits.ts';
import { type LimitMiddleware, limitMiddleware } from '../core/limit-middleware.ts';
import { usedTokens, worstCase } from '../core/limit-need.ts';
import { checkLimitOptions, INPUT_MARGIN, type LimitOptions, OUTPUT_TOKENS } from '../core/limit-options.ts';
import type { LimitUnit } from '../core/limit-rule.ts';
import { aBoolean } from '../core/options.ts';
import { estimateRequest } from '../pricing/estimate-request.ts';
import { memoryCounterStore } from '../stores/memory.ts';

export interface RateLimitOptions extends Omit<LimitOptions, 'limits'>, Partial<Pick<LimitOptions, 'limits'>> {
  /**
   * Learns from the rate-limit headers of answers what each target would refuse, and does not send it: the call goes
   * to another target, waits, or is refused with the time to wait.
   *
   * @defaultValue false
   */
  readonly provider?: boolean;
}

/** Cost is what `budget` is for. */
const UNITS: readonly LimitUnit[] = ['requests', 'inputTokens', 'outputTokens', 'tokens', 'concurrent'];

/**
 * Lets only so many attempts, tokens or calls at once through, per whom you like: rolling without bursts at a window's
 * border, or by the calendar.
 *
 * Its attempt face sees all attempts wherever it stands; place it outside `retry` and `timeout`, so that waiting in
 * its queue is no attempt's time.
 *
 * @throws GatewayError `rate-limited` with `source: 'gateway'`, `limit` and, if waiting helps, `retryAfterMs`.
 * @example
 * rateLimit({ limits: [{ per: 'user', requests: 60, periodMs: 60_000, burst: 10 }], onExhausted: 'wait' })
 */
export function rateLimit(options: RateLimitOptions): LimitMiddleware {
  checkLimitOptions('rateLimit', options, { provider: aBoolean });
  const { limits, provider = false, outputTokens = OUTPUT_TOKENS, inputMargin = INPUT_MARGIN } = options;
  if (limits === undefined && !provider) {
    throw invalidOptions('rateLimit.limits', 'give limits, or `provider: true`; else nothing is limited.');
  }
  return limitMiddleware({
    name: 'rateLimit',
    factory: 'rateLimit',
    code: 'rate-limited',
    units: UNITS,
    options: { ...options, limits: limits ?? [] },
    createStore: (clock) => memoryCounterStore({ clock }),
    need: worstCase({ estimate: estimateRequest, outputTokens: () => outputTokens, inputMargin }),
    actual: (_call, _target, usage) => usedTokens(usage),
    ...(provider && { headers: new HeaderLimits() }),
  });
}
