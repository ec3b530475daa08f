import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGateway, isGatewayError } from '../src/index.ts';
import { mockProvider } from '../src/testing/index.ts';

function gatewayWith(script: (mock: ReturnType<typeof mockProvider>) => void) {
  const mock = mockProvider();
  script(mock);
  return createGateway({ providers: [mock], models: { default: 'mock/m' } });
}

describe('a chat stream', () => {
  it('gives text, then the whole answer with everything a plain one has', async () => {
    const stream = gatewayWith((mock) => mock.reply('Hello there.')).stream('Hi');
    expect((await stream.started).target).toEqual({ provider: 'mock', model: 'm' });
    let text = '';
    for await (const piece of stream.text) text += piece;
    const response = await stream.response;
    expect(text).toBe('Hello there.');
    expect(response).toMatchObject({ text, target: { provider: 'mock' }, finish: { reason: 'stop' } });
    expect(response.attempts[0]?.outcome).toBe('completed');
  });

  it('puts the response on its last event', async () => {
    const events = [];
    for await (const event of gatewayWith((mock) => mock.reply('x')).stream('Hi')) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'end', response: { text: 'x' } });
  });

  it('LEAK-06: an unused response promise of a failing stream harms nobody', async () => {
    const stream = gatewayWith((mock) => mock.otherwise.fail('authentication')).stream('Hi');
    await expect(stream.started).rejects.toMatchObject({ code: 'authentication' });
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('STR-18: fails where it is read, typed, before any text', async () => {
    const stream = gatewayWith((mock) => mock.otherwise.fail(429)).stream({ prompt: 'Hi', timeoutMs: 1_000 });
    await expect(
      (async () => {
        for await (const _text of stream.text);
      })(),
    ).rejects.toSatisfy((error) => isGatewayError(error) && !error.committed);
    await expect(stream.response).rejects.toSatisfy((error) => isGatewayError(error));
  });

  it('STR-01, STR-19: a cut stream says what was delivered', async () => {
    const stream = gatewayWith((mock) => mock.on('Hi').reply('One two three four five.').cut({ content: 2 })).stream(
      'Hi',
    );
    let got = '';
    const failure = await (async () => {
      for await (const text of stream.text) got += text;
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'stream-interrupted', committed: true });
    const partial = isGatewayError(failure) ? failure.partial : undefined;
    expect(partial?.message.content).toEqual([{ type: 'text', text: got }]);
    expect(got).not.toBe('');
  });

  it('LEAK-01: breaking out stops it, and the response says so', async () => {
    const stream = gatewayWith((mock) => mock.reply('One two three four five.')).stream('Hi');
    for await (const _event of stream) break;
    await expect(stream.response).rejects.toMatchObject({ code: 'aborted' });
  });

  it('LEAK-01: ends at once for a reader that leaves while it waits', async () => {
    const stream = gatewayWith((mock) => mock.on('Hi').reply('One two three.').hang({ content: 1 })).stream('Hi');
    const reading = stream.text[Symbol.asyncIterator]();
    await reading.next();
    const waiting = reading.next();
    await reading.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await expect(stream.response).rejects.toMatchObject({ code: 'aborted' });
  });

  it('gives overlapping reads their events in order, and the same end to all that come after', async () => {
    const stream = gatewayWith((mock) => mock.reply('One two three.')).stream('Hi');
    const reading = stream[Symbol.asyncIterator]();
    const steps = await Promise.all(Array.from({ length: 20 }, () => reading.next()));
    const events = steps.flatMap((step) => (step.done === true ? [] : [step.value]));
    expect(events[0]?.type).toBe('start');
    expect(events.at(-1)).toMatchObject({ type: 'end', response: { text: 'One two three.' } });
    expect(steps.at(-1)).toEqual({ done: true, value: undefined });
  });

  it('P6, LEAK-04: an abort is never a normal end', async () => {
    const controller = new AbortController();
    const stream = gatewayWith((mock) => mock.on('Hi').reply('One two three.').hang({ content: 1 })).stream('Hi', {
      signal: controller.signal,
    });
    const reason = new Error('enough');
    const reading = (async () => {
      for await (const _text of stream.text) controller.abort(reason);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'aborted', cause: reason });
  });

  it('can be read once and says so', async () => {
    const stream = gatewayWith((mock) => mock.reply('x')).stream('Hi');
    await stream.response;
    await expect(
      (async () => {
        for await (const _event of stream);
      })(),
    ).rejects.toMatchObject({ code: 'invalid-request', field: 'stream' });
  });

  it('grows partial output into the checked one', async () => {
    const output = z.object({ city: z.string(), days: z.array(z.number()) });
    const stream = gatewayWith((mock) => mock.on('Plan').output({ city: 'Oslo', days: [1, 2, 3] })).stream({
      prompt: 'Plan',
      output,
    });
    const seen: unknown[] = [];
    for await (const value of stream.partialOutput) seen.push(value);
    expect(seen.at(-1)).toEqual({ city: 'Oslo', days: [1, 2, 3] });
    expect((await stream.response).output).toEqual({ city: 'Oslo', days: [1, 2, 3] });
  });

  it('becomes bytes for an HTTP response, its failure the last event', async () => {
    const good = gatewayWith((mock) => mock.reply('Hello')).stream('Hi');
    const lines = (await new Response(good.toReadableStream({ format: 'ndjson' })).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ type: 'start' });
    expect(lines.at(-1)).toMatchObject({ type: 'end' });
    const bad = gatewayWith((mock) => mock.on('Hi').reply('Hello').cut({ content: 1 })).stream('Hi');
    const sse = await new Response(bad.toReadableStream()).text();
    expect(sse).toMatch(/data: \{"type":"error","error":\{.*"code":"stream-interrupted"/);
  });
});

describe('structured output', () => {
  it('is parsed, converted and typed', async () => {
    const { output } = await gatewayWith((mock) => mock.reply('{"n":"7"}')).chat({
      prompt: 'x',
      output: z.object({ n: z.coerce.number() }),
    });
    const n: number | undefined = output?.n;
    expect(n).toBe(7);
  });
  it('that does not fit is invalid-output with the answer, and shows none of it', async () => {
    const failure = await gatewayWith((mock) => mock.reply('{"n":"secret words"}'))
      .chat({ prompt: 'x', output: z.object({ n: z.number() }) })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'invalid-output', message: expect.not.stringContaining('secret') });
    expect(isGatewayError(failure) && failure.partial?.message.content).toHaveLength(1);
  });
  it('takes plain JSON Schema, JSON in a fence and choices', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'integer' } },
      required: ['a'],
      additionalProperties: false,
    };
    expect(
      (await gatewayWith((mock) => mock.reply('```json\n{"a":1}\n```')).chat({ prompt: 'x', output: schema })).output,
    ).toEqual({ a: 1 });
    await expect(
      gatewayWith((mock) => mock.reply('{"a":1.5}')).chat({ prompt: 'x', output: schema }),
    ).rejects.toMatchObject({ code: 'invalid-output' });
    expect(
      (
        await gatewayWith((mock) => mock.reply(' yes ')).chat({
          prompt: 'x',
          output: { type: 'choice', options: ['yes', 'no'] },
        })
      ).output,
    ).toBe('yes');
  });
  it('E06: nulls that strict mode adds are taken out again', async () => {
    const output = z.object({ a: z.string().optional(), b: z.string() });
    expect(
      (await gatewayWith((mock) => mock.reply('{"a":null,"b":"x"}')).chat({ prompt: 'x', output })).output,
    ).toEqual({ b: 'x' });
  });
});
