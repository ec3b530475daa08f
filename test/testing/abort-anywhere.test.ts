import { describe, expect, it } from 'vitest';
import { createGateway, isGatewayError } from '../../src/index.ts';
import { meter, retry, route, timeout } from '../../src/middleware/index.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';

/** Lets exactly so many promise jobs run. */
async function jobs(count: number): Promise<void> {
  for (let job = 0; job < count; job++) await Promise.resolve();
}

/**
 * How each ending may be metered. An answer that was whole when the abort came may count as cancelled, because its
 * stream was still open; a failure that was already on its way stays that failure.
 */
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  answered: ['call completed', 'call cancelled'],
  aborted: ['call cancelled'],
  overloaded: ['call failed'],
};

describe('LEAK-03: abort at every await point (reliability 4.3)', () => {
  const shapes = {
    'an answer': (mock: ReturnType<typeof mockProvider>) => mock.reply('one two three'),
    'an answer over the wire': (mock: ReturnType<typeof mockProvider>) =>
      mock.reply('one two three').fault({ kind: 'drip', bytes: 200 }),
    'a failure, a wait and an answer': (mock: ReturnType<typeof mockProvider>) =>
      mock.otherwise.fail(503).once().then.reply('one two'),
  };
  for (const [shape, script] of Object.entries(shapes)) {
    for (const mode of ['plain', 'stream'] as const) {
      it(`${shape}, ${mode}: it ends as aborted or answered, metered once, with nothing left`, async () => {
        const endings = new Set<string>();
        for (let point = 0; point < size(120, 400); point += size(3, 1)) {
          const clock = fakeClock();
          const mock = mockProvider();
          script(mock);
          const rows: string[] = [];
          const gateway = createGateway({
            providers: [mock],
            models: { default: 'mock/m' },
            use: [meter({ sink: (row) => void rows.push(`${row.kind} ${row.status}`) }), retry(), route(), timeout()],
            clock,
            random: () => 0.5,
          });
          const controller = new AbortController();
          const { signal } = controller;
          const work = mode === 'plain' ? gateway.chat('x', { signal }) : gateway.stream('x', { signal }).response;
          const seen = work.then(
            () => 'answered',
            (error: unknown) => (isGatewayError(error) ? error.code : String(error)),
          );
          await jobs(point);
          controller.abort();
          const ending = await clock.settled(seen);
          await clock.advance(0);
          endings.add(ending);
          const calls = rows.filter((row) => row.startsWith('call'));
          expect([point, ending, calls.length]).toEqual([point, ending, 1]);
          expect(STATUSES[ending], `${ending} at point ${point}`).toContain(calls[0]);
          // One that is aborted while the attempt faces are asked is counted, although it never went out.
          const never = rows.length - calls.length - mock.calls.length;
          expect(never === 0 || (never === 1 && ending === 'aborted'), `${never} at point ${point}`).toBe(true);
          expect([point, clock.pending]).toEqual([point, 0]);
        }
        expect(endings.has('aborted')).toBe(true);
      });
    }
  }
});
