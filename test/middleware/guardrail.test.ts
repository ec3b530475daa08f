import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGateway, type GatewayError, isGatewayError } from '../../src/index.ts';
import type { GatewayEvents } from '../../src/core/events.ts';
import type { LedgerRow } from '../../src/core/ledger.ts';
import {
  fallback,
  type GuardCheck,
  type GuardContent,
  guardrail,
  type GuardrailOptions,
  judge,
  meter,
  retry,
  route,
} from '../../src/middleware/index.ts';
import { fakeClock, middlewareContract, mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';

const noSecret: GuardCheck = ({ texts }) =>
  texts.some(({ text }) => text.includes('secret')) ? { block: 'it names a secret' } : undefined;
const pass: GuardCheck = () => undefined;
const soften: GuardCheck = () => ({ rewrite: (text) => text.replaceAll('damn', 'd***') });

function setUp(options: GuardrailOptions) {
  const clock = fakeClock();
  const mock = mockProvider({ name: 'p' });
  const rows: LedgerRow[] = [];
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'p/main', other: 'p/other', small: 'p/small' },
    clock,
    use: [meter({ sink: (row) => void rows.push(row) }), guardrail(options), retry(), route()],
  });
  const verdicts: GatewayEvents['guardrail'][] = [];
  gateway.on('guardrail', (event) => verdicts.push(event));
  return { clock, mock, gateway, verdicts, rows };
}

async function failureOf(work: PromiseLike<unknown>): Promise<GatewayError> {
  const error: unknown = await Promise.resolve(work).then(
    () => expect.fail('expected a failure'),
    (thrown: unknown) => thrown,
  );
  if (!isGatewayError(error)) throw error;
  return error;
}

/** What a reader of a stream was shown, and how it ended. */
async function shown(text: AsyncIterable<string>): Promise<{ text: string; error?: unknown }> {
  let seen = '';
  try {
    for await (const piece of text) seen += piece;
  } catch (error) {
    return { text: seen, error };
  }
  return { text: seen };
}

describe('guardrail', () => {
  for (const { name, run } of middlewareContract(() =>
    guardrail({ input: pass, output: pass, stream: 'pieces', pieceCharacters: 1 }),
  ))
    it(name, run);

  it('blocks a request before it is sent, and names the guard, its reason and no word of the text', async () => {
    const { mock, gateway, verdicts } = setUp({ input: noSecret });
    const error = await failureOf(gateway.chat('my secret is 4711'));
    expect(error).toMatchObject({ code: 'guardrail-blocked', stage: 'guardrail', retryable: false, source: 'gateway' });
    expect(error.message).toBe('noSecret blocked the request: it names a secret.');
    expect(mock.calls).toHaveLength(0);
    expect(verdicts).toEqual([
      expect.objectContaining({ direction: 'request', guard: 'noSecret', verdict: 'block', enforced: true }),
    ]);
  });

  it('rewrites requests and answers, in the order of the guards', async () => {
    const louder: GuardCheck = () => ({ rewrite: (text) => text.replaceAll('d***', 'D***') });
    const { mock, gateway } = setUp({ input: [soften, louder], output: soften });
    mock.reply('damn fine');
    expect((await gateway.chat('damn it')).text).toBe('d*** fine');
    expect(mock.last.text).toBe('D*** it');
    expect((await gateway.stream('damn it').response).text).toBe('d*** fine');
  });

  it('looks at the inputs of an embedding', async () => {
    const { mock, gateway } = setUp({ input: noSecret, output: noSecret });
    expect((await failureOf(gateway.embed({ input: ['fine', 'a secret'] }))).code).toBe('guardrail-blocked');
    mock.reply();
    await gateway.embed({ input: ['fine'] });
  });

  it('shows every text of requests and answers, and where it stands (RED-09)', async () => {
    const seen: GuardContent[] = [];
    const note: GuardCheck = (content) => void seen.push(content);
    const { mock, gateway } = setUp({ input: note, output: note });
    mock.reply({ text: 'said', reasoning: 'thought', toolCalls: [{ name: 'find', args: { q: 'asked' } }] });
    const tools = [{ type: 'function' as const, name: 'find', description: 'described', input: { type: 'object' } }];
    const request = { system: 'told', prompt: 'hello', tools };
    for (const stream of [false, true]) {
      seen.length = 0;
      await (stream ? gateway.stream(request).response : gateway.chat(request));
      const [input, output] = seen.map(({ texts }) => Object.fromEntries(texts.map(({ kind, text }) => [kind, text])));
      expect(input).toMatchObject({ system: 'told', user: 'hello', 'tool-definition': expect.any(String) as string });
      expect(output).toEqual({ assistant: 'said', reasoning: 'thought', 'tool-arguments': 'asked' });
      expect(seen.map(({ direction, complete }) => [direction, complete])).toEqual([
        ['request', true],
        ['response', true],
      ]);
    }
  });

  it('holds a stream until it is whole by default: what is blocked was never seen', async () => {
    const { mock, gateway } = setUp({ output: noSecret });
    mock.reply(['All is well, ', 'but here is ', 'the secret.']);
    const { text, error } = await shown(gateway.stream('x').text);
    expect(text).toBe('');
    expect(error).toMatchObject({
      code: 'guardrail-blocked',
      message: 'noSecret blocked the response: it names a secret.',
    });
  });

  it('keeps usage, target and cost of an answer that it held', async () => {
    const { clock, mock, gateway, rows } = setUp({ output: pass });
    mock.on('x').usage({ input: 7, output: 3 }).reply('fine');
    const response = await gateway.stream('x').response;
    expect(response).toMatchObject({ text: 'fine', usage: { input: 7, output: 3 }, target: { model: 'main' } });
    await clock.settled(gateway.close());
    expect(rows.filter(({ kind }) => kind === 'attempt')).toHaveLength(1);
  });

  it('lets pieces go once they have been looked at, and no character of one that has not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-z .]{1,12}$/), { minLength: 1, maxLength: 30 }),
        fc.nat(30),
        fc.integer({ min: 1, max: 40 }),
        async (words, at, pieceCharacters) => {
          let passed = '';
          const watch: GuardCheck = ({ texts }) => {
            const text = texts.map((one) => one.text).join('');
            if (text.includes('secret')) return { block: 'a secret' };
            passed = text;
          };
          const { mock, gateway } = setUp({ output: watch, stream: 'pieces', pieceCharacters });
          mock.reply([...words.slice(0, at), 'se', 'cret ', ...words.slice(at)]);
          const blocked = await shown(gateway.stream('x').text);
          expect(blocked.error).toMatchObject({ code: 'guardrail-blocked' });
          expect(passed.startsWith(blocked.text)).toBe(true);
          expect(blocked.text).not.toContain('secret');
          mock.reset();
          mock.reply([...words]);
          expect(await shown(gateway.stream('x').text)).toEqual({ text: words.join('') });
        },
      ),
      { numRuns: size(25, 500), seed: 7 },
    );
  });

  it('rewrites in a stream of pieces what stands in several events', async () => {
    const { mock, gateway } = setUp({ output: soften, stream: 'pieces', pieceCharacters: 10 });
    mock.reply(['well, da', 'mn fine, ', 'thi', 's dam', 'n thing']);
    const response = await gateway.stream('x').response;
    expect(response.text).toBe('well, d*** fine, this d*** thing');
    expect(response.message.content).toEqual([expect.objectContaining({ text: response.text })]);
  });

  it('is a reason to ask another model, for a stream too while nothing of it was shown', async () => {
    for (const stream of ['whole', 'pieces'] as const) {
      const mock = mockProvider({ name: 'p' });
      mock.on({ model: 'main' }).reply('the secret is out');
      mock.on({ model: 'other' }).reply('nothing to tell');
      const gateway = createGateway({
        providers: [mock],
        models: { default: 'p/main', other: 'p/other' },
        use: [
          fallback({ 'guardrail-blocked': 'other' }),
          guardrail({ output: noSecret, stream, pieceCharacters: 5 }),
          retry(),
          route(),
        ],
      });
      expect((await gateway.chat('x')).text).toBe('nothing to tell');
      expect((await gateway.stream('x').response).text).toBe('nothing to tell');
    }
  });

  it('closes upstream when a piece is blocked, and when the reader stops', async () => {
    const { clock, mock, gateway, rows } = setUp({ output: noSecret, stream: 'pieces', pieceCharacters: 5 });
    mock.on('blocked').reply(['fine so far. ', 'a secret. ', 'more. ', 'and more.']);
    mock.on('stopped').reply(['fine so far. ', 'still fine. ', 'more. ', 'and more.']);
    await shown(gateway.stream('blocked').text);
    for await (const _piece of gateway.stream('stopped').text) break;
    await clock.settled(gateway.close());
    expect(rows.flatMap((row) => (row.kind === 'attempt' ? [row.status] : []))).toEqual(['cancelled', 'cancelled']);
  });

  it('fails closed: a guard that throws, is late or says nothing sensible lets nothing pass', async () => {
    const broken: GuardCheck = () => {
      throw new Error('the service is down');
    };
    const late: GuardCheck = (_content, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const deaf: GuardCheck = () => new Promise(() => undefined);
    const odd = (() => true) as unknown as GuardCheck;
    for (const guard of [broken, late, deaf, odd]) {
      const closed = setUp({ input: guard, timeoutMs: 500 });
      const problems: string[] = [];
      closed.gateway.on('problem', ({ stage }) => problems.push(stage));
      const error = await closed.clock.settled(failureOf(closed.gateway.chat('x')));
      expect(error).toMatchObject({ code: 'guardrail-blocked' });
      expect(error.message).toContain('could not look at the request');
      expect(closed.mock.calls).toHaveLength(0);
      expect(problems).toEqual([`guardrail ${guard.name}`]);
      const open = setUp({ input: guard, timeoutMs: 500, onFailure: 'pass' });
      open.mock.reply('fine');
      expect((await open.clock.settled(open.gateway.chat('x'))).text).toBe('fine');
      expect(open.verdicts).toEqual([expect.objectContaining({ verdict: 'failed', enforced: false })]);
    }
  });

  it('only tells in observe mode, and holds nothing up', async () => {
    const { clock, mock, gateway, verdicts } = setUp({ input: noSecret, output: [noSecret, soften], mode: 'observe' });
    mock.reply(['damn, the ', 'secret']);
    const pieces: string[] = [];
    for await (const piece of gateway.stream('a secret').text) pieces.push(piece);
    expect(pieces).toEqual(['damn, the ', 'secret']);
    await clock.settled(gateway.close());
    expect(verdicts.map(({ direction, verdict, enforced }) => [direction, verdict, enforced])).toEqual([
      ['request', 'block', false],
      ['response', 'block', false],
      ['response', 'rewrite', false],
    ]);
  });

  it('flags and lets pass', async () => {
    const { mock, gateway, verdicts } = setUp({ output: () => ({ flag: 'worth a look' }) });
    mock.reply('fine');
    expect((await gateway.chat('x')).text).toBe('fine');
    expect(verdicts).toEqual([expect.objectContaining({ verdict: 'flag', reason: 'worth a look', guard: 'output' })]);
  });

  it('refuses what no guard is shown, and media if it is told to', async () => {
    const { mock, gateway } = setUp({ input: () => undefined, refuse: ['media'] });
    mock.reply('fine');
    const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://example.com/a.png' } };
    const messages = [{ role: 'user' as const, content: [image] }];
    expect((await failureOf(gateway.chat({ messages }))).message).toContain('guardrail cannot read (image)');
    const body = JSON.stringify({ a: 1 });
    const raw = setUp({ input: () => undefined });
    const answer = await raw.gateway.fetch('https://api.openai.com/v1/batches', { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain('a body that guardrail cannot read');
  });

  it('holds for wrapped clients of every protocol, plain and streamed, as their own error (RED-09)', async () => {
    const { mock, gateway } = setUp({ output: noSecret });
    const openai = gateway.wrap(await mock.openai());
    const claude = gateway.wrap(await mock.anthropic());
    const read = async (events: Promise<AsyncIterable<unknown>>): Promise<string> => {
      let all = '';
      for await (const event of await events) all += JSON.stringify(event);
      return all;
    };
    const ask = (content: string) => ({ model: 'any', messages: [{ role: 'user' as const, content }] });
    const ways: Readonly<Record<string, (content: string) => Promise<unknown>>> = {
      chat: (content) => openai.chat.completions.create(ask(content)),
      'chat, streamed': (content) => read(openai.chat.completions.create({ ...ask(content), stream: true })),
      responses: (input) => openai.responses.create({ model: 'any', input }),
      'responses, streamed': (input) => read(openai.responses.create({ model: 'any', input, stream: true })),
      messages: (content) => claude.messages.create({ ...ask(content), max_tokens: 9 }),
      'messages, streamed': (content) => read(claude.messages.create({ ...ask(content), max_tokens: 9, stream: true })),
    };
    mock.on('fine').reply('all is well');
    mock.reply('the secret is out');
    for (const [name, way] of Object.entries(ways)) {
      expect(JSON.stringify(await way('fine')), name).toMatch(/all.*is.*well/s);
      const error: unknown = await way('tell me').then(
        () => expect.fail(`${name} passed`),
        (thrown: unknown) => thrown,
      );
      expect(error, name).toMatchObject({ status: 400 });
      expect((error as Error).constructor.name, name).toBe('BadRequestError');
      expect(String(error), name).toContain('noSecret blocked the response');
    }
  });

  it('stops looking when the call is aborted', async () => {
    const { clock, gateway } = setUp({ input: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const work = failureOf(gateway.chat('x', { signal: controller.signal }));
    controller.abort();
    expect((await clock.settled(work)).code).toBe('aborted');
  });

  it('refuses options that make no sense, and models nobody knows', () => {
    for (const [options, field] of [
      [{}, /guardrail: give it guards/],
      [{ input: 'no' }, /guardrail\.input\[0\]/],
      [{ input: () => undefined, stream: 'parts' }, /guardrail\.stream/],
      [{ input: () => undefined, refuse: ['files'] }, /guardrail\.refuse/],
      [{ inputs: () => undefined }, /Did you mean/],
    ] as const) {
      expect(() => guardrail(options as GuardrailOptions)).toThrow(field);
    }
    const unknown = judge({ model: 'nobody/knows', policy: 'x' });
    expect(() => setUp({ input: unknown })).toThrow(/nobody/);
    expect(() => judge({ model: 'small' } as never)).toThrow(/judge\.policy/);
  });

  it('says in explain what it looks at', async () => {
    const { gateway } = setUp({ input: noSecret });
    const { middleware } = gateway.explain('x');
    expect(middleware.find(({ name }) => name === 'guardrail')?.summary).toBe(
      'enforces: requests by noSecret; does not look at answers',
    );
  });
});

describe('judge', () => {
  const policy = 'No medical advice.';

  it('asks a model for one word, marks the text so that it cannot speak for itself, and is metered with the call', async () => {
    const { mock, gateway, rows } = setUp({ input: judge({ model: 'small', policy }) });
    mock.on({ model: 'small', text: 'aspirin' }).reply('Block.');
    mock.on({ model: 'small' }).reply('pass');
    mock.on({ model: 'main' }).reply('A river.');
    expect((await gateway.chat('Name a river.')).text).toBe('A river.');
    const asked = mock.calls.find(({ model }) => model === 'small');
    const [, mark] = /^(<<[0-9a-f]{16}>>)\n/.exec(asked?.text ?? '') ?? [];
    expect(asked?.text).toBe(`${mark}\nName a river.\n${mark}`);
    expect(asked?.system).toContain(policy);
    expect(asked?.system).toContain(mark);
    expect((await failureOf(gateway.chat('How much aspirin?'))).message).toBe(
      'judge blocked the request: it does not keep to the policy.',
    );
    const judged = rows.filter((row) => row.kind === 'attempt' && row.purpose === 'guardrail');
    expect(judged).toHaveLength(2);
  });

  it('does not judge the words of the application itself', async () => {
    const { mock, gateway } = setUp({ input: judge({ model: 'small', policy }) });
    mock.on({ model: 'small' }).reply('pass');
    mock.reply('fine');
    await gateway.chat({ system: 'You are a doctor.', prompt: 'Hi' });
    expect(mock.calls[0]?.text).not.toContain('doctor');
  });

  it('counts an answer that is neither word as a failure', async () => {
    const { mock, gateway } = setUp({ input: judge({ model: 'small', policy, name: 'medicine' }) });
    mock.on({ model: 'small' }).reply('It depends.');
    expect((await failureOf(gateway.chat('Hi'))).message).toContain('medicine could not look at the request');
  });
});
