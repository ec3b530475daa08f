import { describe, it } from 'vitest';
import type { Middleware } from '../../src/core/middleware.ts';
import { budget } from '../../src/middleware/budget.ts';
import { rateLimit } from '../../src/middleware/rate-limit.ts';
import { middlewareContract } from '../../src/testing/index.ts';
import { createPriceTable } from '../../src/pricing/index.ts';

const prices = createPriceTable({ overrides: { 'probe/*': { tokens: { input: '1', output: '1' } } } });
const MIDDLEWARE: Readonly<Record<string, () => Middleware>> = {
  'budget that denies': () =>
    budget({ prices, limits: [{ costUsd: 1_000 }, { per: 'user', tokens: 1e9, every: 'day' }, { concurrent: 50 }] }),
  'budget that waits': () => budget({ prices, limits: [{ costUsd: 1_000 }, { concurrent: 50 }], onExhausted: 'wait' }),
  rateLimit: () => rateLimit({ limits: [{ requests: 1_000, periodMs: 1_000 }], provider: true }),
};

for (const [name, create] of Object.entries(MIDDLEWARE)) {
  describe(`middlewareContract: ${name}`, () => {
    for (const { name: title, run } of middlewareContract(create)) it(title, run);
  });
}
