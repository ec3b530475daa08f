import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createGateway, GatewayError, type Provider } from '../../src/index.ts';
import { redact, type RedactOptions } from '../../src/middleware/redact.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { mockProvider } from '../../src/testing/index.ts';

const KEY = 'sixteen-bytes-or-more';
const PROVIDER_KEY = 'sk-test-0123456789';
const MAIL = 'canary.prompt@mail.example';
/** Every kind of text a turn may hold, and one kind that is not text. */
const KINDS = {
  text: { messages: [{ role: 'user', content: `I am ${MAIL}` }] },
  tool: {
    tools: [{ name: 'find', description: `Of ${MAIL}`, input: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'Find it.' },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'find', args: { of: MAIL } }] },
      { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', content: `It is ${MAIL}` }] },
    ],
  },
  reasoning: {
    messages: [
      { role: 'user', content: 'Think.' },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: `They are ${MAIL}`, form: 'full' },
          { type: 'text', text: 'Done.' },
        ],
      },
      { role: 'user', content: 'Go on.' },
    ],
  },
  image: {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: `I am ${MAIL}` },
          { type: 'image', source: { kind: 'base64', data: 'aGVsbG8=' }, mediaType: 'image/png' },
        ],
      },
    ],
  },
} as const;

const DIALECTS: Readonly<Record<string, (fetch: never) => Provider>> = {
  'openai-chat': (fetch) => openai({ transport: 'fetch', api: 'chat', apiKey: PROVIDER_KEY, fetch }),
  'openai-responses': (fetch) => openai({ transport: 'fetch', api: 'responses', apiKey: PROVIDER_KEY, fetch }),
  'anthropic-messages': (fetch) => anthropic({ transport: 'fetch', apiKey: PROVIDER_KEY, fetch }),
};

describe('RED-09: redaction runs in every cell, or the call is refused', () => {
  const bodies: string[] = [];
  const spy = (mock: ReturnType<typeof mockProvider>) => async (input: RequestInfo | URL, init?: RequestInit) => {
    // The SDK tries whether forms work with an address of no host.
    if (!String(input).startsWith('data:')) bodies.push(await new Request(input, init).text());
    return mock.fetch(input, init);
  };
  const gatewayWith = (options: RedactOptions, providers: Provider[] = []) => {
    const gateway = createGateway({ providers, use: [redact({ key: KEY, ...options }), retry(), route()] });
    const ran: string[] = [];
    gateway.on('redaction', ({ direction, entities }) => ran.push(`${direction} ${Object.keys(entities).join()}`));
    return { gateway, ran };
  };

  for (const [dialect, create] of Object.entries(DIALECTS)) {
    for (const [kind, asked] of Object.entries(KINDS)) {
      it.each([false, true])(`${dialect}, ${kind}, streamed: %s`, async (stream) => {
        bodies.length = 0;
        const mock = mockProvider();
        mock.otherwise.reply((call) => `Noted: ${call.text}`);
        const { gateway, ran } = gatewayWith({ refuse: ['raw', 'media'] }, [create(spy(mock) as never)]);
        const request = { model: `${dialect.split('-')[0]}/m`, maxTokens: 99, ...asked } as never;
        const work = stream ? gateway.stream(request).response : gateway.chat(request);
        if (kind === 'image') {
          await expect(work).rejects.toMatchObject({ code: 'guardrail-blocked', stage: 'redact' });
          expect(bodies).toEqual([]);
          return;
        }
        const { text } = await work;
        expect(ran).toEqual(['request EMAIL_ADDRESS']);
        expect(bodies).toHaveLength(1);
        expect(bodies[0]).not.toContain('canary');
        expect(bodies[0]).toContain(kind === 'reasoning' ? 'Go on.' : '[EMAIL_ADDRESS_');
        expect(text).not.toContain('[EMAIL_ADDRESS_');
      });
    }
  }

  it('through wrapped clients: what a dialect reads runs, what passes as it came is refused with its body', async () => {
    bodies.length = 0;
    const mock = mockProvider();
    mock.otherwise.reply((call) => `Noted: ${call.text}`);
    const { gateway, ran } = gatewayWith({});
    const client = gateway.wrap(new OpenAI({ apiKey: PROVIDER_KEY, fetch: spy(mock) as never, maxRetries: 0 }));
    const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: MAIL }] });
    expect(answer.choices[0]?.message.content).toContain(MAIL);
    expect((await client.responses.create({ model: 'm', input: MAIL })).output_text).toContain(MAIL);
    expect(ran).toEqual(['request EMAIL_ADDRESS', 'request EMAIL_ADDRESS']);
    expect(bodies.join()).not.toContain('canary');
    const refused: unknown = await client.files
      .create({ purpose: 'batch', file: new File([MAIL], 'batch.jsonl') })
      .catch((error: unknown) => error);
    expect(GatewayError.from(refused)).toMatchObject({ code: 'guardrail-blocked', source: 'gateway' });
    expect(bodies).toHaveLength(2);
    // Without a body there is nothing to look into; with leave, the rest passes.
    await client.files.list().catch(() => undefined);
    expect(bodies).toHaveLength(3);
    const open = gatewayWith({ refuse: [] }).gateway.wrap(
      new OpenAI({ apiKey: PROVIDER_KEY, fetch: spy(mock) as never, maxRetries: 0 }),
    );
    await open.batches
      .create({ input_file_id: 'f', endpoint: '/v1/chat/completions', completion_window: '24h' })
      .catch(() => undefined);
    expect(bodies).toHaveLength(4);
  });
});
