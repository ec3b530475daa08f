import { describe, expect, it } from 'vitest';
import { createGateway, defineMiddleware } from '../../src/index.ts';
import { cache, inRegion, retry, route } from '../../src/middleware/index.ts';
import { middlewareContract, mockProvider } from '../../src/testing/index.ts';

describe('inRegion', () => {
  for (const { name, run } of middlewareContract(() => inRegion('eu', cache()))) it(name, run);

  it('keeps what must stay in another region out of a store and a sink (SEC-14)', async () => {
    const attempts: string[] = [];
    const sink = defineMiddleware(
      { name: 'sink', attempt: (call) => void attempts.push(call.scope.tenant ?? '') },
      (call, next) => next(call),
    );
    const mock = mockProvider({ name: 'p' });
    const gateway = createGateway({
      providers: [mock],
      models: {
        default: [
          { target: 'p/eu', region: 'eu' },
          { target: 'p/us', region: 'us' },
        ],
      },
      use: [inRegion('us', sink), inRegion(['us'], cache()), retry(), route()],
    });
    mock.reply('ok');
    const ask = async (tenant: string, region?: string) => {
      await gateway.chat({ prompt: 'x', scope: { tenant, ...(region !== undefined && { region }) } });
      return mock.calls.length;
    };
    expect([await ask('german', 'eu'), await ask('german', 'eu')]).toEqual([1, 2]);
    expect([await ask('american', 'us'), await ask('american', 'us')]).toEqual([3, 3]);
    expect([await ask('any'), await ask('any')]).toEqual([4, 4]);
    expect(attempts).toEqual(['american', 'any']);
    expect(`${gateway.explain({ prompt: 'x', region: 'eu' })}`).toContain('sink: left out: it keeps data in us');
  });

  it('refuses nonsense at creation', () => {
    expect(() => inRegion('', cache())).toThrow('inRegion.region');
    expect(() => inRegion('eu', undefined as never)).toThrow('inRegion.layer');
  });
});
