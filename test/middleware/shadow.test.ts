import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { meter, retry, route, shadow, type ShadowOptions, type ShadowPair } from '../../src/middleware/index.ts';
import { fakeClock, middlewareContract, mockProvider } from '../../src/testing/index.ts';

const setUp = (options: Partial<ShadowOptions> = {}, seen: ShadowPair[] = []) => {
  const clock = fakeClock();
  const mock = mockProvider({ name: 'p' });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'p/real', next: { target: 'p/next', price: { input: 1_000, output: 1_000 } } },
    clock,
    use: [
      meter(),
      shadow({ to: 'next', share: 1, compare: (pair) => void seen.push(pair), ...options }),
      retry(),
      route(),
    ],
  });
  return { clock, mock, gateway, seen };
};
const settled = async (clock: ReturnType<typeof fakeClock>) => {
  for (let turn = 0; turn < 5; turn++) await clock.advance(10);
};

describe('shadow', () => {
  for (const { name, run } of middlewareContract(() => shadow({ to: 'probe/m', share: 0 }))) it(name, run);

  it('mirrors a call after its answer, hands both to compare, and nobody waits', async () => {
    const { clock, mock, gateway, seen } = setUp();
    mock.on({ model: 'real' }).reply('real answer');
    mock.on({ model: 'next' }).delay(30_000).reply('next answer');
    const response = await clock.settled(gateway.chat('hi'), { limitMs: 1_000 });
    expect(response.text).toBe('real answer');
    expect(response.attempts).toHaveLength(1);
    await clock.advance(30_000);
    await settled(clock);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.shadow?.message.content).toEqual([expect.objectContaining({ text: 'next answer' })]);
    expect(seen[0]?.shadowMs).toBeGreaterThanOrEqual(30_000);
  });

  it('mirrors streams when they have ended, and not what failed or was left', async () => {
    const { clock, mock, gateway } = setUp();
    mock.on({ model: 'real' }).reply('one two');
    mock.on({ model: 'next' }).reply('x');
    for await (const _text of gateway.stream('hi').text) expect(mock.calls).toHaveLength(1);
    await settled(clock);
    expect(mock.calls.map(({ model }) => model)).toEqual(['real', 'next']);
  });

  it('a failing shadow is nothing to the caller', async () => {
    const { clock, mock, gateway, seen } = setUp({ timeoutMs: 5_000 });
    mock.on({ model: 'real' }).reply('ok');
    mock.on({ model: 'next' }).fail(401);
    expect((await clock.settled(gateway.chat('hi'))).text).toBe('ok');
    await settled(clock);
    expect(seen[0]?.error?.code).toBe('authentication');
    expect(seen[0]?.shadow).toBeUndefined();
  });

  it('keeps to its calls and dollars an hour', async () => {
    for (const [bounds, mirrored] of [
      [{ perHourMax: 3 }, 3],
      // One answer costs more than a cent: the second is not made.
      [{ usdPerHourMax: 0.000_001 }, 1],
    ] as const) {
      const { clock, mock, gateway } = setUp(bounds);
      mock.reply('ok');
      const ask = async () => {
        await clock.settled(gateway.chat('hi'));
        await settled(clock);
      };
      for (let call = 0; call < 6; call++) await ask();
      const count = () => mock.calls.filter(({ model }) => model === 'next').length;
      expect(count()).toBe(mirrored);
      await clock.advance(3_600_000);
      await ask();
      expect(count()).toBe(mirrored + 1);
    }
  });
});
