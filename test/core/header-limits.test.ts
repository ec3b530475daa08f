import { describe, expect, it } from 'vitest';
import { HeaderLimits } from '../../src/core/header-limits.ts';
import type { AttemptOutcome } from '../../src/core/middleware.ts';
import type { RateLimitWindow } from '../../src/operations/shared.ts';

const NEED = { requests: 1, inputTokens: 50, outputTokens: 50, tokens: 100 };
const told = (...rateLimit: RateLimitWindow[]): AttemptOutcome => ({
  status: 'completed',
  durationMs: 0,
  committed: true,
  billing: 'yes',
  rateLimit,
});
const requests = (limit: number, remaining: number, resetMs?: number): AttemptOutcome =>
  told({ scope: 'requests', limit, remaining, ...(resetMs !== undefined && { resetMs }) });

function after(outcome: AttemptOutcome, now = 0): HeaderLimits {
  const limits = new HeaderLimits();
  limits.end('t', limits.hold('t', NEED), outcome, now);
  return limits;
}

describe('HeaderLimits', () => {
  it('knows nothing before the first answer, and nothing of other targets', () => {
    expect(new HeaderLimits().denial('t', NEED, 0)).toBeUndefined();
    expect(after(requests(10, 0, 1_000)).denial('other', NEED, 0)).toBeUndefined();
  });

  it('reckons that a limit comes back evenly until its reset', () => {
    const limits = after(requests(10, 0, 1_000));
    expect(limits.denial('t', NEED, 0)).toMatchObject({ retryAfterMs: 100, blockedBy: 'used', maximum: 10, used: 10 });
    expect(limits.denial('t', NEED, 60)).toMatchObject({ retryAfterMs: 40 });
    expect(limits.denial('t', NEED, 100)).toBeUndefined();
  });

  it('takes a minute where no reset is told', () => {
    expect(after(requests(60, 0)).denial('t', NEED, 0)).toMatchObject({ retryAfterMs: 1_000 });
  });

  it('minds every limit that is told, and waits for the slowest', () => {
    const limits = after(
      told(
        { scope: 'requests', limit: 10, remaining: 5, resetMs: 1_000 },
        { scope: 'input-tokens', limit: 1_000, remaining: 0, resetMs: 10_000 },
        { scope: 'tokens', limit: 1_000, remaining: 50, resetMs: 950 },
      ),
    );
    expect(limits.denial('t', NEED, 0)).toMatchObject({ name: 'inputTokens of provider for t', retryAfterMs: 500 });
  });

  it('counts what was sent after the answer that told, and not what was sent before', () => {
    const limits = new HeaderLimits();
    const early = limits.hold('t', NEED);
    const first = limits.hold('t', NEED);
    const late = limits.hold('t', NEED);
    limits.end('t', first, requests(10, 2, 1_000), 0);
    expect(limits.denial('t', NEED, 0)).toBeUndefined();
    limits.hold('t', NEED);
    expect(limits.denial('t', NEED, 0)).toMatchObject({ blockedBy: 'held', held: 2 });
    limits.end('t', late, { status: 'failed', durationMs: 0, committed: false, billing: 'no' }, 0);
    limits.end('t', early, { status: 'cancelled', durationMs: 0, committed: false, billing: 'no' }, 0);
    expect(limits.denial('t', NEED, 0)).toBeUndefined();
  });

  it('believes the headers that came last, not the stream that ended last', () => {
    const limits = new HeaderLimits();
    const stream = limits.hold('t', NEED);
    const plain = limits.hold('t', NEED);
    limits.end('t', plain, requests(10, 9, 1_000), 5_000);
    const headers = {
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '60s',
    };
    const outcome = {
      status: 'completed',
      durationMs: 9_000,
      firstContentMs: 100,
      committed: true,
      billing: 'yes',
      headers,
    } as const;
    limits.end('t', stream, outcome, 9_000);
    expect(limits.denial('t', NEED, 9_000)).toBeUndefined();
  });

  it('never refuses a request for being larger than the whole limit: that is for the provider to say', () => {
    const limits = after(told({ scope: 'tokens', limit: 60, remaining: 60, resetMs: 0 }));
    expect(limits.denial('t', NEED, 0)).toBeUndefined();
  });
});
