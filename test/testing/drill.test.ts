import { describe, expect, it } from 'vitest';
import { createGateway, standard } from '../../src/index.ts';
import { timeout } from '../../src/middleware/index.ts';
import { drill, fakeClock } from '../../src/testing/index.ts';

const models = { default: ['openai/a', 'anthropic/b'] };

describe('drill', () => {
  it('tells what users of a gateway would have seen of every fault', async () => {
    const clock = fakeClock();
    const make = () => createGateway({ models, clock, use: standard({ timeout: timeout({ attemptMs: 20_000 }) }) });
    const report = await drill(make, { clock });
    expect(report.rows.length).toBeGreaterThanOrEqual(200);
    expect(report.answered + report.partial + report.failed).toBe(report.rows.length);
    const row = (id: string) => report.rows.find((one) => one.id === id);
    expect(row('status-503 plain')).toMatchObject({ seen: 'answered', detail: 'anthropic/b', attempts: 2 });
    expect(row('status-400 plain')).toMatchObject({ seen: 'failed', detail: 'invalid-request', attempts: 1 });
    expect(row('cut after 2 pieces stream')).toMatchObject({ seen: 'partial', detail: 'stream-interrupted' });
    expect(row('hang after-headers stream')).toMatchObject({ seen: 'answered', attempts: 2, ms: 20_000 });
    // Whatever fails before content is hidden, unless the request itself is at fault.
    const visible = report.rows
      .filter(({ seen }) => seen === 'failed')
      .map(({ id }) => id.replace(/ (plain|stream)$/, ''));
    expect([...new Set(visible)].sort()).toEqual(['context', 'should-retry', 'status-400', 'status-413', 'status-422']);
    const text = String(report);
    expect(text).toContain('HTTP 503');
    expect(text.split('\n').at(-1)).toBe(
      `${report.rows.length} faults: ${report.answered} answered, ${report.partial} partial, ${report.failed} failed`,
    );
  });

  it('runs chosen rows in real time on a gateway as it is, and with faults that pass', async () => {
    const gateway = createGateway({ models: { default: 'openai/a' } });
    const report = await drill(gateway, { only: (id) => id === 'retry-after-zero plain', times: 1 });
    expect(report.rows).toMatchObject([{ seen: 'answered', detail: 'openai/a', attempts: 2 }]);
    await expect(drill(gateway, { tiems: 1 } as never)).rejects.toThrow('Did you mean times?');
  });
});
