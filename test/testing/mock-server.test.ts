import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createGateway, isGatewayError } from '../../src/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { mockProvider, mockServer, type MockServer } from '../../src/testing/index.ts';
import { loadRecordings } from '../../src/testing/recordings/load.ts';
import { size } from '../size.ts';

const folder = fileURLToPath(new URL('../../../shared/fixtures/providers/', import.meta.url));
const openaiAt = (server: MockServer, transport: 'fetch' | 'sdk' = 'fetch') =>
  openai({ apiKey: 'sk-test-key', baseURL: server.openaiURL, transport, api: 'chat' });
const gatewayAt = (server: MockServer) =>
  createGateway({ providers: [openaiAt(server)], models: { default: 'openai/m' } });

describe('mockServer', () => {
  it('tells the same story as a provider when it plays its script', async () => {
    const mock = mockProvider();
    mock.on('x').reply('from the script');
    await using server = await mockServer({ script: mock });
    expect((await gatewayAt(server).chat('x')).text).toBe('from the script');
    expect(mock.calls).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/v1/chat/completions', body: { model: 'm' } });
  });

  /**
   * How many more requests the server answers before it sees that a client is gone. In order and not by the clock, which
   * a busy machine stretches: a round trip on the loopback takes about a millisecond.
   */
  async function roundsUntilClosed(server: MockServer): Promise<number> {
    for (let rounds = 0; rounds < 100; rounds++) {
      if (server.requests[0]?.closedEarly === true) return rounds;
      await (await fetch(`${server.url}/v1/models`)).text();
    }
    return Number.POSITIVE_INFINITY;
  }
  const ROUNDS_MAX = 5;

  for (const stop of ['break', 'cancel', 'abort'] as const) {
    it(`LEAK-01: the server sees the close right after ${stop}`, async () => {
      await using server = await mockServer();
      server.on('x').reply('one two three four').hang({ content: 2 });
      const controller = new AbortController();
      const stream = gatewayAt(server).stream('x', { signal: controller.signal });
      let rounds: Promise<number> | undefined;
      try {
        let count = 0;
        for await (const _text of stream.text) {
          if (++count < 2) continue;
          expect(server.requests[0]?.closedEarly).toBe(false);
          if (stop === 'break') break;
          if (stop === 'cancel') stream.cancel();
          else controller.abort();
          rounds = roundsUntilClosed(server);
        }
      } catch (error) {
        expect([stop === 'break', isGatewayError(error, 'aborted')]).toEqual([false, true]);
      }
      expect(await (rounds ?? roundsUntilClosed(server))).toBeLessThanOrEqual(ROUNDS_MAX);
    });
  }

  it.each([
    ['RET-07: attemptMs', 'plain', { attemptMs: 150 }],
    ['RET-07: connectMs', 'stream', { connectMs: 150 }],
    ['STR-07: idleMs', 'stream', { idleMs: 150 }],
  ] as const)('%s closes the socket of a %s call when it runs out', async (name, mode, clocks) => {
    await using server = await mockServer();
    server
      .on('x')
      .reply('one two three')
      .hang(name.includes('idle') ? { content: 2 } : 'before-headers');
    const { timeout } = await import('../../src/middleware/index.ts');
    const gateway = createGateway({
      providers: [openaiAt(server)],
      models: { default: 'openai/m' },
      use: [timeout(clocks)],
    });
    // On a busy machine the clock may run out before the request has left: then there was no socket to close.
    for (let tries = 0; tries < 10 && server.requests.length === 0; tries++) {
      const work: Promise<unknown> = mode === 'plain' ? gateway.chat('x') : gateway.stream('x').response;
      await expect(work).rejects.toSatisfy((error) => isGatewayError(error, 'timeout'));
    }
    expect(await roundsUntilClosed(server)).toBeLessThanOrEqual(ROUNDS_MAX);
  });

  it('RET-05: hits equal the attempts recorded, over both transports', async () => {
    for (const transport of ['fetch', 'sdk'] as const) {
      await using server = await mockServer();
      server.on('x').fail(500, { retryAfterMs: 1 }).times(2).then.reply('ok');
      const gateway = createGateway({ providers: [openaiAt(server, transport)], models: { default: 'openai/m' } });
      const { attempts, text } = await gateway.chat('x');
      expect([text, attempts.length, server.hits]).toEqual(['ok', 3, 3]);
    }
  });

  it('RET-05: a reset and a cut are each one attempt on a real socket', async () => {
    await using server = await mockServer();
    server.on('x').fail('reset').then.cut('after-start').then.reply('at last');
    const { text } = await gatewayAt(server).stream('x').response;
    expect([text, server.hits]).toEqual(['at last', 3]);
  });

  for (const [shape, fault] of [
    ['cut', { kind: 'cut', at: 'after-start' }],
    ['stall', { kind: 'hang', at: 'after-start' }],
    ['bad chunk', { kind: 'junk', at: 'after-start' }],
  ] as const) {
    it(`STR-02: a ${shape} before content ends in one complete answer from the fallback`, async () => {
      await using server = await mockServer();
      server.on({ provider: 'openai' }).reply('never seen').fault(fault);
      server.on({ provider: 'anthropic' }).reply('The whole answer.').once();
      const { retry, route, timeout } = await import('../../src/middleware/index.ts');
      const gateway = createGateway({
        providers: [openaiAt(server), anthropic({ apiKey: 'k', baseURL: server.anthropicURL, transport: 'fetch' })],
        models: { default: ['openai/m', 'anthropic/m'] },
        use: [retry(), route(), timeout({ firstContentMs: 400 })],
      });
      const stream = gateway.stream('x');
      const texts: string[] = [];
      for await (const text of stream.text) texts.push(text);
      expect(texts.join('')).toBe('The whole answer.');
      expect((await stream.response).target.provider).toBe('anthropic');
      expect(server.hits).toBe(2);
      server.done();
    });
  }

  it('closes while a client waits, and refuses a script together with recordings', async () => {
    const server = await mockServer();
    server.on('x').fail('hang');
    const waiting = gatewayAt(server).with({ attemptsMax: 1 }).chat('x');
    while (server.hits === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await server.close();
    await expect(waiting).rejects.toSatisfy((error) => isGatewayError(error));
    await expect(mockServer({ script: mockProvider(), recordings: '/nowhere' })).rejects.toThrow('exclude each other');
    await expect(mockServer({ recordings: '/nowhere' })).rejects.toThrow('manifest.json');
  });
});

describe.skipIf(!existsSync(folder))('mockServer over recordings (needs the shared fixtures)', () => {
  it('serves every recording of the spoken protocols, plain and streamed, byte for byte', async () => {
    const recordings = await loadRecordings(folder);
    expect(recordings.length).toBeGreaterThan(400);
    await using server = await mockServer({ recordings: folder });
    const paths = {
      'chat-completions': '/v1/chat/completions',
      responses: '/v1/responses',
      messages: '/v1/messages',
      embeddings: '/v1/embeddings',
      'count-tokens': '/v1/messages/count_tokens',
    };
    const every = size(7, 1);
    for (const [index, recording] of recordings.entries()) {
      if (index % every !== 0) continue;
      const { endpoint, stream, provider, name, status } = recording;
      const response = await fetch(server.url + paths[endpoint], {
        method: 'POST',
        body: JSON.stringify({ model: `${provider}/${name}`, ...(stream && { stream }) }),
      });
      expect([name, response.status]).toEqual([name, status]);
      expect(await response.text()).toBe((await recording.chunks()).join(''));
    }
  });

  it('finds a recording by its request, so that an SDK sees the recorded answer', async () => {
    await using server = await mockServer({ recordings: folder });
    const recordings = await loadRecordings(folder);
    let sent: Record<string, unknown> | undefined;
    for (const { endpoint, stream, status, request } of recordings) {
      if (endpoint !== 'messages' || !stream || status !== 200) continue;
      sent ??= (await request()) as Record<string, unknown> | undefined;
    }
    const client = new (await import('@anthropic-ai/sdk')).default({
      apiKey: 'k',
      baseURL: server.anthropicURL,
      maxRetries: 0,
    });
    const { stream: _stream, ...request } = sent ?? {};
    const message = await client.messages.stream(request as never).finalMessage();
    expect(message.role).toBe('assistant');
    await expect(client.messages.create({ model: 'nope', max_tokens: 1, messages: [] })).rejects.toThrow(
      'No recording of messages',
    );
  });
});
