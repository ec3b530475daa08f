import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { openaiChatDoor } from '../../../src/dialects/openai-chat/door.ts';
import { base64OfFloats, floatsOfBase64 } from '../../../src/dialects/openai-chat/embed-vectors.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import { absent, environment, head, read, recordings } from './fixtures.ts';

const embed = openaiChat.embed!;
const door = openaiChatDoor.embed!;
const body = (embedding: unknown) => ({
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding }],
  model: 'e',
  usage: { prompt_tokens: 3, total_tokens: 3 },
});

describe('embeddings', () => {
  it('are asked for with what was set, and no more (ERR-02)', () => {
    const target = { provider: 'openai', model: 'e' };
    expect(embed.encodeRequest({ model: 'x', input: ['a'] }, environment({ target }))).toMatchObject({
      path: '/embeddings',
      body: { model: 'e', input: ['a'] },
    });
    const all = embed.encodeRequest(
      { model: 'x', input: ['a'], dimensions: 2, encoding: 'base64', user: 'u', purpose: 'query' },
      environment({ target }),
    );
    expect(all.body).toEqual({ model: 'e', input: ['a'], dimensions: 2, encoding_format: 'base64', user: 'u' });
    expect(all.warnings.map((one) => one.feature)).toEqual(['purpose']);
    expect(() => embed.encodeRequest({ model: 'x', input: ['a'], encoding: 'int8' }, environment())).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });

  it('come as numbers or as text, in the order of their indexes', () => {
    const numbers = embed.decodeResponse(
      {
        data: [
          { index: 1, embedding: [2] },
          { index: 0, embedding: [1] },
        ],
        usage: { prompt_tokens: 4 },
      },
      head(),
      environment(),
    );
    expect(numbers.embeddings.map((one) => one.vector)).toEqual([[1], [2]]);
    expect([numbers.encoding, numbers.dimensions, numbers.usage.input, numbers.usage.output]).toEqual([
      'float',
      1,
      4,
      0,
    ]);
    const text = embed.decodeResponse(body(base64OfFloats([0.5, -2])), head(), environment());
    expect([text.encoding, text.dimensions]).toEqual(['base64', 2]);
  });

  it.each([[{}], [{ data: [] }], [{ data: [{ index: 0 }] }], ['<html>']])('%j is a bad response', (junk) => {
    expect(() => embed.decodeResponse(junk, head(), environment())).toThrow(
      expect.objectContaining({ code: 'bad-response' }),
    );
  });

  it('survive base64 to the bit, large vectors too', () => {
    const vector = Array.from({ length: 4_096 }, (_none, index) => Math.fround(Math.sin(index)));
    expect(floatsOfBase64(base64OfFloats(vector))).toEqual(vector);
    expect(floatsOfBase64('%%%')).toEqual([]);
  });

  it.each([
    { input: 'a' },
    { input: ['a', 'b'], encoding_format: 'base64', dimensions: 3, user: 'u' },
    { input: [[1, 2]], encoding_format: 'float' },
    { input: 'a', encoding_format: 'int8', x: 1 },
  ])('through the door keep %j word for word', (fields) => {
    const wire = { model: 'e', ...fields };
    const { request, facts } = door.decodeRequest(wire, {});
    expect(embed.encodeRequest(request, environment({ target: { provider: 'p', model: 'e' }, facts })).body).toEqual(
      wire,
    );
  });

  it('reach the SDK as numbers although it asks for base64', async () => {
    const vector = [0.5, -2, 0.25];
    const client = new OpenAI({
      apiKey: 'test',
      fetch: async (_url, init) => {
        const { request, facts } = door.decodeRequest(JSON.parse(String(init?.body)), {});
        expect(facts['encoding']).toBe('base64');
        expect(request.encoding).toBeUndefined();
        const response = embed.decodeResponse(body(base64OfFloats(vector)), head(), environment({ facts }));
        expect(response.embeddings[0]!.vector).toEqual(vector);
        return Response.json(door.encodeResponse(response, { facts, request: {}, headers: {}, nowMs: 0 }).body);
      },
    });
    const answer = await client.embeddings.create({ model: 'e', input: 'a' });
    expect(answer.data[0]!.embedding).toEqual(vector);
  });
});

describe.skipIf(absent)('recorded embeddings (skipped without fixtures)', () => {
  const all = recordings('embeddings').filter((one) => one.files.response !== undefined);
  it.each(all.map((one) => [`${one.provider}/${one.name}`, one] as const))('%s', (_name, one) => {
    const wire = JSON.parse(read(one.files.response as string));
    if (openaiChat.isError(wire)) {
      expect(openaiChat.decodeError(wire, head(one.status), environment()).source).toBe('provider');
      return;
    }
    const response = embed.decodeResponse(wire, head(), environment());
    expect(response.embeddings).toHaveLength(wire.data.length);
    expect(response.dimensions).toBeGreaterThan(0);
    expect(response.usage.total).toBe(wire.usage.total_tokens);
    const facts = { encoding: typeof wire.data[0].embedding === 'string' ? 'base64' : 'float' };
    expect(door.encodeResponse(response, { facts, request: {}, headers: {}, nowMs: 0 }).body['data']).toEqual(
      wire.data,
    );
  });
});
