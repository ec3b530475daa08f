import { beforeAll, describe, expect, it } from 'vitest';
import type { Middleware } from '../../src/index.ts';
import { logger, type LoggerOptions } from '../../src/middleware/logger.ts';
import { meter } from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { type Setup, setUp, warmUp } from './support.ts';

beforeAll(warmUp);

type Line = Record<string, unknown> & { readonly level: string; readonly msg: string };
const prices = createPriceTable({ overrides: { 'a/*': { tokens: { input: '1', output: '2' } } } });

function logged(
  options: Partial<LoggerOptions> = {},
  ...more: Middleware[]
): Setup & { texts: string[]; lines(): Line[] } {
  const texts: string[] = [];
  const layer = logger({ logger: (line) => void texts.push(line), ...options });
  return {
    ...setUp([layer, meter({ prices }), ...more, retry({ baseMs: 0 }), route()]),
    texts,
    lines: () => texts.map((text) => JSON.parse(text) as Line),
  };
}

describe('logger', () => {
  it('writes one line a call: who, what, where, how much, how it ended', async () => {
    const { gateway, a, clock, lines } = logged({ fields: ({ scope }) => ({ service: `shop of ${scope.tenant}` }) });
    a.reply('Hello').usage({ input: 10, output: 5 }).delay(20);
    await clock.settled(gateway.chat({ model: 'single', prompt: 'Hi', scope: { tenant: 'acme' } }));
    expect(lines()).toEqual([
      {
        level: 'info',
        msg: 'chat completed',
        callId: expect.stringMatching(/^call_/),
        operation: 'chat',
        model: 'single',
        status: 'completed',
        durationMs: 20,
        stream: false,
        attempts: ['a/one completed'],
        scope: { tenant: 'acme' },
        target: 'a/one',
        input: 10,
        output: 5,
        usageQuality: 'reported',
        costNanoUsd: '20000',
        savedNanoUsd: '0',
        finish: 'stop',
        service: 'shop of acme',
      },
    ]);
  });

  it('writes one line for every way a call ends, at the level it deserves', async () => {
    const { gateway, a, b, clock, lines } = logged();
    a.on('bad').fail('invalid-request').always();
    a.on('down').fail('unavailable').always();
    a.on('cut').reply('one two three four').cut({ content: 2 }).always();
    a.reply('one two three four');
    b.otherwise.fail('overloaded').always();
    const read = async (prompt: string, stop = false): Promise<void> => {
      for await (const _text of gateway.stream({ model: 'single', prompt }).text) if (stop) break;
    };
    await clock.settled(gateway.chat('ok'));
    await clock.settled(gateway.chat('bad').catch(() => undefined));
    await clock.settled(gateway.chat('down').catch(() => undefined));
    await clock.settled(read('cut').catch(() => undefined));
    await clock.settled(read('ok', true));
    await clock.settled(read('ok'));
    expect(lines().map(({ level, msg, error }) => `${level} ${msg} ${error ?? ''}`.trim())).toEqual([
      'info chat completed',
      'warn chat failed invalid-request',
      'error chat failed all-targets-failed',
      'error chat failed stream-interrupted',
      'info chat cancelled',
      'info chat completed',
    ]);
  });

  it('LEAK-11: a call that is running when the gateway closes has its line', async () => {
    const { gateway, a, clock, lines } = logged();
    a.reply('late').delay(1_000);
    const work = gateway.chat('x').catch(() => undefined);
    await clock.advance(10);
    await clock.settled(gateway.close());
    await work;
    expect(lines()).toHaveLength(1);
  });

  it('SEC-C13: no field begins a line of its own, steers a terminal or turns text round', async () => {
    const evil = 'x\r\n{"level":"info","msg":"forged"}\u001b[2J\u2028\u2029\u202e\u0000\u0085';
    const { gateway, a, clock, texts } = logged({ content: 'raw', fields: () => ({ [`name${evil}`]: evil }) });
    a.reply(evil);
    const scope = { tenant: evil, tags: { [evil]: evil } };
    await clock.settled(gateway.chat({ model: 'single', prompt: evil, scope }));
    await clock.settled(gateway.chat({ model: `a/${evil}`, prompt: 'x', scope }).catch(() => undefined));
    expect(texts).toHaveLength(2);
    for (const text of texts) {
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      expect(JSON.parse(text)).toMatchObject({ level: 'info' });
      expect(JSON.stringify(JSON.parse(text)).includes('\\u001b')).toBe(true);
    }
  });

  it('SEC-C13: a field is no longer than it may be, and a strange name is no prototype', async () => {
    const { gateway, a, clock, lines } = logged({
      textLengthMax: 10,
      fields: () => ({ long: 'y'.repeat(10_000), ['__proto__']: { polluted: true } }),
    });
    a.reply('ok');
    await clock.settled(gateway.chat('x'));
    expect(lines()[0]?.['long']).toBe(`${'y'.repeat(10)}…`);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('has no content unless asked, and then the masked view', async () => {
    const mask: Middleware = async (call, next) => {
      call.context.content = { request: { prompt: '[NAME]' } };
      return next(call);
    };
    const say = async (content: NonNullable<LoggerOptions['content']>): Promise<string> => {
      const { gateway, a, clock, texts } = logged({ content }, mask);
      a.reply('Hello Ann');
      await clock.settled(gateway.stream({ model: 'single', prompt: 'I am Ann' }).response);
      await clock.advance(0);
      return texts.join('');
    };
    expect(await say('off')).not.toMatch(/Ann|NAME/);
    expect(await say('masked')).toMatch(/^(?!.*Ann).*\[NAME\]/);
    expect(await say('raw')).toContain('Hello Ann');
  });

  it('takes any logger with pino’s signature, and one that throws harms no call', async () => {
    const seen: [string, object, string][] = [];
    const problems: string[] = [];
    const pino = {
      info: (fields: object, message: string) => void seen.push(['info', fields, message]),
      warn: () => undefined,
      error: () => {
        throw new Error('disk full');
      },
    };
    const { gateway, a, clock } = logged({ logger: pino, level: 'debug' });
    gateway.on('problem', ({ stage }) => void problems.push(stage));
    a.on('bad').fail('authentication').always();
    a.reply('ok');
    await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }));
    const failure = await clock.settled(
      gateway.chat({ model: 'single', prompt: 'bad' }).catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ code: 'authentication' });
    expect(seen).toMatchObject([['info', { status: 'completed' }, 'chat completed']]);
    expect(problems).toEqual(['logger']);
  });

  it('refuses wrong options, naming the field', () => {
    expect(() => logger({} as never)).toThrow(expect.objectContaining({ field: 'logger.logger' }));
    expect(() => logger({ logger: {} as never })).toThrow(expect.objectContaining({ field: 'logger.logger' }));
    expect(() => logger({ logger: () => {}, level: 'loud' as never })).toThrow(
      expect.objectContaining({ field: 'logger.level' }),
    );
  });
});
