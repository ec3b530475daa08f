import { describe, expect, it } from 'vitest';
import { defineMiddleware, type Middleware } from '../../src/index.ts';
import {
  budget,
  cache,
  circuitBreaker,
  concurrency,
  dedupe,
  fallback,
  hedge,
  logger,
  rateLimit,
  redact,
  retry,
  route,
  telemetry,
  timeout,
} from '../../src/middleware/index.ts';
import { faultRows } from '../../src/testing/matrix/rows.ts';
import type { FaultRow } from '../../src/testing/matrix/row.ts';
import { seededRandom } from '../../src/testing/script/random.ts';
import { full } from '../size.ts';
import { type Policy, problemsOf, wantedOf } from './matrix-expect.ts';
import { runRow, type Setting } from './matrix-run.ts';
import { namesOf, PAIRWISE, type Switches } from './pairwise.ts';

const PROTOCOLS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const;
const timers = (row: FaultRow): Middleware =>
  timeout({ connectMs: 2_000, firstContentMs: 3_000, idleMs: 4_000, attemptMs: row.mode === 'plain' ? 5_000 : 0 });

interface Stack extends Policy {
  use(row: FaultRow): readonly Middleware[];
  /** Whether it is met at every size of the suite with every ninth row, or with fewer. */
  readonly sparse?: true;
}
const both: Policy = { retries: true, routes: true, fallsBack: false };
const SECOND = { any: 'second/m', 'content-filtered': 'second/m', 'context-too-long': 'second/m' } as const;
const around = (create: () => Middleware, policy: Policy = both): Stack => ({
  ...policy,
  sparse: true,
  use: (row) => [create(), retry(), route(), timers(row)],
});
const switched = (on: Switches): Stack => ({
  retries: on.retry,
  routes: true,
  fallsBack: on.fallback,
  sparse: true,
  use: (row) => [
    ...(on.fallback ? [fallback(SECOND)] : []),
    ...(on.retry ? [retry()] : []),
    ...(on.hedge ? [hedge()] : []),
    route(),
    ...(on.breaker ? [circuitBreaker({ lastResort: true })] : []),
    timers(row),
  ],
});

/** One line for each stack. A middleware that should not change what a fault comes to is `around(it())`. */
const STACKS: Readonly<Record<string, Stack>> = {
  'timeout alone': { ...both, retries: false, routes: false, use: (row) => [timers(row)] },
  'route and timeout': { ...both, retries: false, use: (row) => [route(), timers(row)] },
  'retry, route and timeout': { ...both, use: (row) => [retry(), route(), timers(row)] },
  'a middleware that only passes on': around(() => async (call, next) => next(call)),
  'a middleware with an attempt face': around(() =>
    defineMiddleware({ name: 'looks', attempt: () => ({ end: () => undefined }) }, async (call, next) => next(call)),
  ),
  ...Object.fromEntries(PAIRWISE.map((on) => [namesOf(on), switched(on)])),
  cache: around(() => cache()),
  dedupe: around(() => dedupe()),
  redact: around(() => redact()),
  concurrency: around(() => concurrency()),
  budget: around(() => budget({ limits: [{ requests: 1_000, every: 'day' }] })),
  rateLimit: around(() => rateLimit({ limits: [{ requests: 1_000, periodMs: 60_000 }] })),
  telemetry: around(() => telemetry()),
  logger: around(() => logger({ logger: () => undefined })),
};
const SETTINGS: readonly Setting[] = [
  { times: 'once', targets: 1 },
  { times: 'always', targets: 1 },
  { times: 'once', targets: 2 },
  { times: 'always', targets: 2 },
];

describe('the failure matrix (reliability 4.3), in process', () => {
  const rows = faultRows();
  let offset = 0;

  it('covers every kind of fault at every position', () => {
    expect(rows.length).toBeGreaterThanOrEqual(200);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.length * PROTOCOLS.length * Object.keys(STACKS).length * SETTINGS.length).toBeGreaterThanOrEqual(3_000);
  });

  for (const protocol of PROTOCOLS) {
    for (const [name, stack] of Object.entries(STACKS)) {
      for (const setting of SETTINGS) {
        // Each cell takes other rows at the small size, so that all of them are met.
        const everyNth = full ? 1 : stack.sparse ? 31 : 9;
        const from = offset++ % everyNth;
        const chosen = shuffled(rows.filter((_row, index) => index % everyNth === from));
        it(`${protocol}, ${name}, ${setting.times}, ${setting.targets} target(s): ${chosen.length} rows`, async () => {
          const wrong: string[] = [];
          for (const row of chosen) {
            const seen = await runRow(row, protocol, stack.use(row), setting);
            const problems = problemsOf(row, seen, wantedOf(row, setting, stack));
            if (problems.length > 0) wrong.push(`${row.id}: ${problems.join('; ')}`);
          }
          expect(wrong).toEqual([]);
        });
      }
    }
  }
});

/** Another order each time is no other outcome; the seed may be given from outside. */
function shuffled(rows: readonly FaultRow[]): readonly FaultRow[] {
  const random = seededRandom(Number(process.env['POSTERN_TEST_SEED'] ?? 1));
  return rows
    .map((row) => ({ row, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ row }) => row);
}
