import { describe, expect, it } from 'vitest';
import { resetMsOf } from '../../src/core/error-facts.ts';
import { retryAfterMs } from '../../src/core/retry-after.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('RET-03: retryAfterMs', () => {
  const cases: [Record<string, string>, number | undefined][] = [
    [{ 'retry-after-ms': '0' }, 0],
    [{ 'retry-after-ms': '250' }, 250],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'x-ms-retry-after-ms': '40' }, 40],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after-ms': 'x', 'retry-after': '3' }, 3000],
    [{}, undefined],
  ];
  for (const [headers, expected] of cases) {
    it(`${JSON.stringify(headers)} is ${expected}`, () => {
      expect(retryAfterMs(headers, NOW)).toBe(expected);
    });
  }

  it('reads rate-limit resets in every form', () => {
    expect(resetMsOf('6m0s', NOW)).toBe(360_000);
    expect(resetMsOf('20ms', NOW)).toBe(20);
    expect(resetMsOf('1.5s', NOW)).toBe(1500);
    expect(resetMsOf('12', NOW)).toBe(12_000);
    expect(resetMsOf('2026-11-22T12:00:30Z', NOW)).toBe(30_000);
    expect(resetMsOf('whenever', NOW)).toBeUndefined();
  });
});
