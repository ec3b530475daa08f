import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { fakeClock, mockProvider, record, replay } from '../../src/testing/index.ts';
import { loadRecordings } from '../../src/testing/recordings/load.ts';
import { size } from '../size.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-tape-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ask = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] });
const clientOver = (fetch: typeof globalThis.fetch) =>
  new OpenAI({ apiKey: 'sk-proj-real-0123456789', baseURL: 'https://api.example/v1', maxRetries: 0, fetch });
const noNetwork: typeof fetch = () => Promise.reject(new Error('there is no network'));

describe('record and replay', () => {
  it('records once and replays without a network, plain, streamed and failing, for both SDKs', async () => {
    const file = join(folder, 'both.jsonl');
    const mock = mockProvider();
    mock.on('river').reply('Rhine and Elbe');
    mock.on('busy').fail(429, { retryAfter: 7 });
    const play = async (fetch: typeof globalThis.fetch): Promise<unknown[]> => {
      const client = clientOver(fetch);
      const other = new Anthropic({
        apiKey: 'sk-ant-real-0123456789',
        baseURL: 'https://api.example',
        maxRetries: 0,
        fetch,
      });
      const error = await client.chat.completions.create(ask('busy')).catch((thrown: unknown) => thrown);
      const { id, choices } = await client.chat.completions.create(ask('a river?'));
      return [
        [id, choices[0]?.message.content],
        await client.chat.completions.stream(ask('a river?')).finalContent(),
        (await client.responses.create({ model: 'm', input: 'a river?' })).output_text,
        await other.messages.stream({ ...ask('a river?'), max_tokens: 9 }).finalText(),
        [
          error instanceof OpenAI.RateLimitError,
          (error as InstanceType<typeof OpenAI.RateLimitError>).headers?.get('retry-after'),
        ],
      ];
    };
    const tape = await record(file, { fetch: mock.fetch });
    const recorded = await play(tape.fetch);
    await tape.close();
    const again = await replay(file, { fetch: noNetwork });
    expect(await play(again.fetch)).toEqual(recorded);
    again.done();
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(JSON.parse(lines[0] as string)).toEqual({ postern: 'recording', version: 1 });
    expect(lines).toHaveLength(6);
  });

  it('matches by what is asked, in normal form, whatever the order of fields, the key or the host', async () => {
    const file = join(folder, 'match.jsonl');
    const mock = mockProvider();
    mock.reply('yes');
    const tape = await record(file, { fetch: mock.fetch });
    await clientOver(tape.fetch).chat.completions.create({ ...ask('x'), temperature: 0.5, user: 'u1' });
    await tape.close();
    const again = await replay(file, { fetch: noNetwork, ignore: ['user'] });
    const gateway = createGateway({
      providers: [
        openai({
          apiKey: 'other',
          baseURL: 'http://elsewhere:1/v1',
          transport: 'fetch',
          api: 'chat',
          fetch: again.fetch as never,
        }),
      ],
      use: [],
    });
    const response = await gateway.chat({ model: 'openai/m', user: 'u2', temperature: 0.5, prompt: 'x' });
    expect(response.text).toBe('yes');
  });

  it('says what differs when nothing matches, and lists unused and stale recordings', async () => {
    const file = join(folder, 'miss.jsonl');
    const clock = fakeClock();
    const mock = mockProvider();
    mock.reply('one').then.reply('two');
    const tape = await record(file, { fetch: mock.fetch, clock });
    await clientOver(tape.fetch).chat.completions.create(ask('river'));
    await clientOver(tape.fetch).chat.completions.create(ask('river'));
    await tape.close();
    await clock.advance(181 * 86_400_000);
    const again = await replay(file, { clock });
    expect(again.stale).toHaveLength(2);
    const error = await clientOver(again.fetch)
      .chat.completions.create(ask('lake'))
      .catch((thrown: unknown) => thrown as Error);
    expect(String(error)).toContain('request.messages[0].content[0].text: recorded "river", now "lake"');
    const texts: unknown[] = [];
    for (let turn = 0; turn < 3; turn++) {
      texts.push((await clientOver(again.fetch).chat.completions.create(ask('river'))).choices[0]?.message.content);
    }
    expect(texts).toEqual(['one', 'two', 'two']);
    expect(() => again.done()).toThrow(/missing: No recording of POST \/chat\/completions \(m\)/);
    const fresh = await replay(file, { clock });
    expect(() => fresh.done()).toThrow(/unused: POST \/chat\/completions \(m\)/);
    expect(fresh.unused).toHaveLength(2);
  });

  it('records what is missing in auto mode, and nothing in passthrough', async () => {
    const file = join(folder, 'deep', 'auto.jsonl');
    const mock = mockProvider();
    mock.reply((call) => `to ${call.text}`);
    for (const [text, hits] of [
      ['a', 1],
      ['a', 1],
      ['b', 2],
    ] as const) {
      await using tape = await replay(file, { mode: 'auto', fetch: mock.fetch });
      expect((await clientOver(tape.fetch).chat.completions.create(ask(text))).choices[0]?.message.content).toBe(
        `to ${text}`,
      );
      expect(mock.calls).toHaveLength(hits);
    }
    const before = await readFile(file, 'utf8');
    await using through = await replay(file, { mode: 'passthrough', fetch: mock.fetch });
    await clientOver(through.fetch).chat.completions.create(ask('c'));
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('keeps the timing of chunks', async () => {
    const file = join(folder, 'timing.jsonl');
    const clock = fakeClock();
    const mock = mockProvider({ clock });
    mock.reply('one two three').pace({ pieceDelayMs: 1_000 });
    const tape = await record(file, { fetch: mock.fetch, clock });
    await clock.settled(clientOver(tape.fetch).chat.completions.stream(ask('x')).finalContent());
    await tape.close();
    for (const timing of [false, true]) {
      const again = await replay(file, { clock, timing });
      const began = clock.monotonic();
      expect(await clock.settled(clientOver(again.fetch).chat.completions.stream(ask('x')).finalContent())).toBe(
        'one two three',
      );
      expect(clock.monotonic() - began).toBe(timing ? 3_000 : 0);
    }
  });

  it('writes none of 12 planted secrets: raw, in base64, in a URL, escaped, or as a prefix of eight characters', async () => {
    const secrets = [
      'sk-proj-Zk3vQ9xT7mB2nR5wY8cL1dF4gH6jK0pA',
      'xK9#mP2$vL5"nQ8\\wR3&zT6',
      'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
      'AKIAIOSFODNN7EXAMPLQ',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLXZhbHVl',
      'sess-cookie-5f4dcc3b5aa765d61d8327deb882cf99',
      'query-key-0f1e2d3c4b5a69788796',
      'Basic-Pass-8Jk2Lm9Qw',
      'tenant-token-aa11bb22cc33dd44',
      'hunter2-very-long-password',
      'own-word-without-any-shape',
      'refresh-9d8c7b6a5f4e3d2c1b0a',
    ] as const;
    const [bearer, odd, github, aws, jwt, cookie, query, basic, tenant, password, own, refresh] = secrets;
    const echo = [...secrets, ...secrets.map((secret) => Buffer.from(`key: ${secret}`).toString('base64'))];
    const upstream: typeof fetch = async () =>
      Response.json(
        {
          error: {
            message: `Bad key ${echo.join(' ')} ${secrets.map(encodeURIComponent).join(' ')}`,
            type: 'auth',
            prefix: own.slice(0, 12),
          },
        },
        { status: 401, headers: { 'set-cookie': cookie, 'x-request-id': `req_${bearer}` } },
      );
    const file = join(folder, 'secrets.jsonl');
    const tape = await record(file, { fetch: upstream, secrets: [own] });
    const response = await tape.fetch(`https://api.example/v1/chat/completions?key=${query}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bearer}`,
        'x-api-key': odd,
        cookie: `session=${cookie}`,
        'proxy-authorization': `Basic ${Buffer.from(`ann:${basic}`).toString('base64')}`,
        'x-tenant': tenant,
      },
      body: JSON.stringify({
        model: 'm',
        messages: [{ role: 'user', content: `my keys: ${github} ${aws} ${jwt} ${own}; mail ann.smith@example.com` }],
        metadata: { password, refresh_token: refresh },
      }),
    });
    expect((await response.text()).includes(bearer)).toBe(true);
    await tape.close();
    const written = await readFile(file, 'utf8');
    expect(written.split('\n')).toHaveLength(3);
    for (const secret of secrets) {
      const base64 = [0, 1, 2].map((offset) =>
        Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)])
          .toString('base64')
          .slice(4, 16),
      );
      const forms = [
        secret,
        secret.slice(0, 8),
        encodeURIComponent(secret).slice(0, 12),
        JSON.stringify(secret).slice(1, 13),
        ...base64,
      ];
      for (const form of forms) expect(written.includes(form), `${form} of ${secret}`).toBe(false);
    }
    expect(written).not.toContain('ann.smith@example.com');
    for (const line of written.trim().split('\n')) JSON.parse(line);
  });

  it('finds its recording again although secrets were taken out of it', async () => {
    const file = join(folder, 'scrubbed.jsonl');
    const mock = mockProvider();
    mock.reply('noted ann.smith@example.com');
    const request = ask('remember ghp_16C7e42F292c6912E7710c838347Ae178B4a of ann.smith@example.com');
    const tape = await record(file, { fetch: mock.fetch });
    await clientOver(tape.fetch).chat.completions.create(request);
    await tape.close();
    const again = await replay(file, { fetch: noNetwork });
    const { choices } = await clientOver(again.fetch).chat.completions.create(request);
    expect(choices[0]?.message.content).toBe('noted [EMAIL_ADDRESS]');
  });

  it('refuses a file that is something else, or of another version', async () => {
    const file = join(folder, 'odd.jsonl');
    await writeFile(file, '{"hello":1}\n');
    await expect(replay(file)).rejects.toThrow('is no recording');
    await writeFile(file, '{"postern":"recording","version":9}\n');
    await expect(replay(file)).rejects.toThrow('version 9; this package reads 1');
    await expect(replay(file, { mdoe: 'auto' } as never)).rejects.toThrow('Did you mean mode?');
  });
});

const fixtures = fileURLToPath(new URL('../../../shared/fixtures/providers/', import.meta.url));
describe.skipIf(!existsSync(fixtures))('replay of a folder (needs the shared fixtures)', () => {
  it('loads and plays every recording of the spoken protocols', async () => {
    const recordings = await loadRecordings(fixtures);
    const tape = await replay(fixtures, { fetch: noNetwork, personal: false });
    const paths = {
      'chat-completions': '/chat/completions',
      responses: '/responses',
      messages: '/messages',
      'count-tokens': '/messages/count_tokens',
      embeddings: '/embeddings',
    };
    const every = size(9, 1);
    for (const [index, recording] of recordings.entries()) {
      if (index % every !== 0) continue;
      const { provider, name, stream, endpoint } = recording;
      const body = (await recording.request()) ?? { model: `${provider}/${name}`, ...(stream && { stream }) };
      const response = await tape.fetch(`https://x.example/v1${paths[endpoint]}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect(text.includes('recording_not_found'), `${endpoint} ${name}: ${text.slice(0, 300)}`).toBe(false);
    }
  });
});
