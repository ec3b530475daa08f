import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, createGateway, defineMiddleware, type Gateway, isGatewayError, replyWith } from '../../src/index.ts';
import { redact, type RedactOptions } from '../../src/middleware/redact.ts';
import { mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';

const MAIL = 'ann.smith@example.com';
const CARD = '4111 1111 1111 1111';
const KEY = 'sixteen-bytes-or-more';

function setup(options: RedactOptions = {}, use: Parameters<typeof createGateway>[0] = {}) {
  const mock = mockProvider();
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/m' },
    use: [redact({ key: KEY, ...options })],
    ...use,
  });
  return { mock, gateway };
}
const sent = (mock: ReturnType<typeof mockProvider>): string => JSON.stringify(mock.last.request);
const streamed = async (gateway: Gateway, request: Parameters<Gateway['stream']>[0]): Promise<string> => {
  let text = '';
  for await (const piece of gateway.stream(request).text) text += piece;
  return text;
};
/** Answers with what it was told, so that placeholders come back. */
const echo = (mock: ReturnType<typeof mockProvider>) => mock.reply((call) => `You said: ${call.text}`);

describe('redact', () => {
  it('keeps the value from the model and gives it back in the answer', async () => {
    const { mock, gateway } = setup();
    echo(mock);
    const { text } = await gateway.chat(`Write to ${MAIL} please.`);
    expect(sent(mock)).not.toContain('example.com');
    expect(sent(mock)).toMatch(/\[EMAIL_ADDRESS_[a-z]{14}\]/);
    expect(text).toContain(MAIL);
    expect(text).not.toContain('[EMAIL');
  });

  it('RED-01, RED-06: restores streamed text at every split of the placeholder', async () => {
    const { mock, gateway } = setup();
    for (let pieceLength = 1; pieceLength <= 12; pieceLength++) {
      mock.reset();
      mock.otherwise.pace({ pieceLength }).reply((call) => `${call.text} and ${call.text}`);
      expect(await streamed(gateway, `It is ${MAIL}`)).toBe(`It is ${MAIL} and It is ${MAIL}`);
    }
  });

  it('RED-06: restores tool arguments, escaped, plain and streamed', async () => {
    const value = 'mysql://root:pa"ss\\word@db.example.com/x';
    const { mock, gateway } = setup();
    for (const stream of [false, true]) {
      mock.reset();
      mock.otherwise.callTool('send', {});
      mock.reset();
      mock.reply((call) => ({ toolCalls: [{ name: 'send', args: { to: call.text } }] }));
      const request = { prompt: `${MAIL} ${value}`, tools: [{ name: 'send' }] };
      const { toolCalls } = stream ? await gateway.stream(request).response : await gateway.chat(request);
      expect(toolCalls[0]?.args).toEqual({ to: `${MAIL} ${value}` });
    }
  });

  it('covers system, tool definitions, arguments, results, filenames and embeddings', async () => {
    const { mock, gateway } = setup();
    mock.reply('ok');
    await gateway.chat({
      system: `Owner: ${MAIL}`,
      tools: [{ name: 'find', description: `Ask ${MAIL}`, input: { type: 'object', description: MAIL } }],
      messages: [
        { role: 'user', content: [{ type: 'file', source: { kind: 'text', text: MAIL }, filename: `${MAIL}.txt` }] },
        { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'find', args: { q: MAIL } }] },
        {
          role: 'tool',
          content: [{ type: 'tool-result', callId: 'c1', content: [{ type: 'json', value: { mail: MAIL } }] }],
        },
      ],
    });
    expect(sent(mock)).not.toContain('ann.smith');
    await gateway.embed({ input: [MAIL] });
    expect(sent(mock)).not.toContain('ann.smith');
  });

  it('gives equal values equal placeholders within a tenant and different ones across', async () => {
    const { mock, gateway } = setup();
    mock.reply('ok');
    const tagFor = async (scope: object): Promise<string> => {
      await gateway.with({ scope }).chat(`Mail ${MAIL}`);
      return /_([a-z]{14})\]/.exec(sent(mock))?.[1] ?? '';
    };
    const acme = await tagFor({ tenant: 'acme', user: 'a' });
    expect(await tagFor({ tenant: 'acme', user: 'b' })).toBe(acme);
    expect(await tagFor({ tenant: 'globex' })).not.toBe(acme);
    expect(await tagFor({})).not.toBe(acme);
  });

  it('RED-05: a thousand conversations at once restore only their own', async () => {
    const { mock, gateway } = setup();
    echo(mock);
    const people = Array.from({ length: size(200, 1_000) }, (_, index) => `person${index}@example.com`);
    const answers = await Promise.all(people.map((mail) => streamed(gateway, `I am ${mail}`)));
    expect(answers).toEqual(people.map((mail) => `You said: I am ${mail}`));
  });

  it('RED-08: a placeholder somebody typed restores nothing', async () => {
    const { mock, gateway } = setup();
    echo(mock);
    const forged = '[EMAIL_ADDRESS_abcdefghijklmn]';
    expect((await gateway.chat(`${forged} and ${MAIL}`)).text).toBe(`You said: ${forged} and ${MAIL}`);
  });

  it('RED-10: a store of answers outside it is refused, and linkable call beside one', () => {
    const store = defineMiddleware({ name: 'kept', content: { stores: true } }, (call, next) => next(call));
    expect(() => createGateway({ use: [store, redact()] })).toThrowError(
      expect.objectContaining({ code: 'invalid-options', message: expect.stringContaining('move kept after redact') }),
    );
    expect(() => createGateway({ use: [redact({ linkable: 'call' }), store] })).toThrowError(
      expect.objectContaining({ field: 'redact.linkable' }),
    );
  });

  it('blocks what the policy blocks before any network, and shows no value', async () => {
    const { mock, gateway } = setup({ actions: { CREDIT_CARD: 'block' } });
    mock.reply('ok');
    const failure: unknown = await gateway.chat(`Card ${CARD}`).catch((error: unknown) => error);
    expect(isGatewayError(failure, 'guardrail-blocked')).toBe(true);
    expect(JSON.stringify(failure)).not.toContain('4111');
    expect(mock.calls).toHaveLength(0);
  });

  it('RED-07: fails closed when the recogniser fails', async () => {
    const { mock, gateway } = setup({ recognise: () => Promise.reject(new Error('model down')) });
    mock.reply('ok');
    await expect(gateway.chat('hello')).rejects.toMatchObject({ code: 'internal' });
    expect(mock.calls).toHaveLength(0);
  });

  it('masks what a recogniser found, everywhere it stands', async () => {
    const recognise = (texts: readonly string[]) =>
      texts.map((text) =>
        text.includes('Satya Nadella')
          ? [{ entity: 'PERSON', start: text.indexOf('Satya'), end: text.indexOf('Satya') + 13, score: 1 }]
          : [],
      );
    const { mock, gateway } = setup({ recognise });
    echo(mock);
    const { text } = await gateway.chat('Satya Nadella wrote; satya nadella called.');
    expect(sent(mock).toLowerCase()).not.toContain('nadella');
    expect(text).toContain('Satya Nadella wrote');
  });

  it('follows a policy by scope', async () => {
    const { mock, gateway } = setup({
      policy: (scope) => (scope.tenant === 'strict' ? { action: 'drop' } : undefined),
    });
    mock.reply('ok');
    await gateway.with({ scope: { tenant: 'strict' } }).chat(`Mail ${MAIL} now`);
    expect(mock.last.text).toBe('Mail  now');
  });

  it('masks, flags or blocks what the model produces itself', async () => {
    const leak = `Her card is ${CARD}.`;
    const run = async (action: 'mask' | 'flag' | 'block', stream: boolean): Promise<string> => {
      const { mock, gateway } = setup({ output: { action } });
      mock.otherwise.pace({ pieceLength: 5 }).reply(leak);
      return stream ? streamed(gateway, 'x') : (await gateway.chat('x')).text;
    };
    for (const stream of [false, true]) {
      expect(await run('mask', stream)).toBe('Her card is [CREDIT_CARD].');
      expect(await run('flag', stream)).toBe(leak);
      await expect(run('block', stream)).rejects.toMatchObject({ code: 'guardrail-blocked' });
    }
  });

  it('tells what it found by entity and count, and publishes the masked view', async () => {
    const heard: unknown[] = [];
    const views: unknown[] = [];
    const view = defineMiddleware({ name: 'view' }, async (call, next) => {
      const reply = await next(call);
      await collect(reply);
      views.push(call.context.content);
      return reply.stream
        ? replyWith(call, (call.context.content as { response: never }).response, reply.target)
        : reply;
    });
    const { mock, gateway } = setup({}, { use: [view, redact({ key: KEY })] });
    gateway.on('redaction', ({ entities, direction }) => heard.push({ direction, entities }));
    echo(mock);
    await gateway.chat(`${MAIL} ${MAIL} ${CARD}`);
    expect(heard).toEqual([{ direction: 'request', entities: { EMAIL_ADDRESS: 2, CREDIT_CARD: 1 } }]);
    expect(JSON.stringify(views)).not.toMatch(/ann\.smith|4111/);
    expect(JSON.stringify(views)).toContain('EMAIL_ADDRESS_');
  });

  it('leaves a request without findings as it is', async () => {
    const requests: unknown[] = [];
    const peek = (name: string) =>
      defineMiddleware({ name }, (call, next) => {
        requests.push(call.request);
        return next(call);
      });
    const { mock, gateway } = setup({}, { use: [peek('before'), redact({ key: KEY }), peek('after')] });
    mock.reply('ok');
    await gateway.chat('nothing here');
    expect(requests[0]).toBe(requests[1]);
  });

  it('invariant 2: what goes in comes back, whatever it is', async () => {
    const { mock, gateway } = setup();
    echo(mock);
    const word = fc.constantFrom(
      'hello',
      MAIL,
      CARD,
      '192.168.10.20',
      '👋🏽',
      'İstanbul',
      '"quoted"',
      '\\n',
      'DE89370400440532013000',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async (words) => {
        const text = words.join(' ');
        expect(await streamed(gateway, text)).toBe(`You said: ${text}`);
      }),
      { seed: 5, numRuns: size(40, 1_000) },
    );
  });

  const bad: [RedactOptions, string][] = [
    [{ linkable: 'galaxy' } as never, 'redact.linkable'],
    [{ actions: { EMAIL_ADDRESS: 'hide' } } as never, 'actions'],
    [{ key: 'short' }, 'key'],
    [{ output: { action: 'eat' } } as never, 'redact.output.action'],
    [{ detector: [] } as never, 'redact.detector'],
  ];
  for (const [options, field] of bad) {
    it(`refuses bad options: ${field}`, () => {
      expect(() => redact(options)).toThrowError(expect.objectContaining({ code: 'invalid-options', field }));
    });
  }
});
