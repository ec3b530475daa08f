import { describe, expect, it } from 'vitest';
import {
  createGateway,
  defineProvider,
  GatewayError,
  type ChatRequest,
  type Provider,
  replyWith,
} from '../../../src/index.ts';
import { failureOf } from '../../middleware/support.ts';

/** A provider that keeps what it is asked and may be down. */
function keeping(name: string, asked: ChatRequest[], down = false): Provider {
  return defineProvider({
    name,
    protocols: ['openai-responses'],
    handlers: {
      chat: async (call) => {
        asked.push(call.request);
        if (down) throw new GatewayError('unavailable', 'down');
        const response = {
          id: `resp_${name}`,
          model: 'm',
          createdAt: '2026-01-01T00:00:00Z',
          message: { role: 'assistant', content: [{ type: 'text', text: 'ok' }] },
          finish: { reason: 'stop' },
          usage: { input: 1, output: 1, total: 2, tokens: {}, lines: [], quality: 'reported' },
          warnings: [],
        } as const;
        return replyWith(call, response as never, { provider: name, model: 'm' });
      },
    },
  });
}
const history = [
  { role: 'user', content: 'one' },
  {
    role: 'assistant',
    origin: { protocol: 'openai-responses', provider: 'q', model: 'm' },
    content: [
      { type: 'reasoning', text: '', sealed: { kind: 'encrypted', value: 'opaque' } },
      { type: 'reasoning', text: 'a summary', sealed: { kind: 'encrypted', value: 'opaque' } },
      { type: 'text', text: 'first answer' },
    ],
  },
  { role: 'user', content: 'two' },
] as const;
const models = { default: ['p/m', 'q/m'] };

describe('sealed items of a conversation (TOOL-09)', () => {
  it('go back to the provider that sealed them', async () => {
    const toP: ChatRequest[] = [];
    const toQ: ChatRequest[] = [];
    const gateway = createGateway({ providers: [keeping('p', toP), keeping('q', toQ)], models });
    await gateway.chat({ messages: history as never });
    expect(toP).toHaveLength(0);
    expect(JSON.stringify(toQ)).toContain('opaque');
    await gateway.chat('a new conversation');
    expect(toP).toHaveLength(1);
  });

  it('are taken out for another when that one is down, readable text kept', async () => {
    const toP: ChatRequest[] = [];
    const toQ: ChatRequest[] = [];
    const gateway = createGateway({ providers: [keeping('p', toP), keeping('q', toQ, true)], models });
    await gateway.chat({ messages: history as never });
    expect(toQ).toHaveLength(1);
    const [request] = toP;
    expect(JSON.stringify(request)).not.toContain('opaque');
    expect(request?.messages[1]?.content).toEqual([
      expect.objectContaining({ type: 'reasoning', text: 'a summary' }),
      expect.objectContaining({ type: 'text', text: 'first answer' }),
    ]);
  });

  it('a stored response is continued only where it is kept, else there is no target', async () => {
    const toP: ChatRequest[] = [];
    const toQ: ChatRequest[] = [];
    const gateway = createGateway({
      providers: [keeping('p', toP), keeping('q', toQ)],
      models: { ...models, p: 'p/m' },
    });
    await gateway.chat({ model: 'q/m', prompt: 'one' });
    await gateway.chat({ prompt: 'two', conversation: { previousResponseId: 'resp_q' } });
    expect(toQ).toHaveLength(2);
    const error = await failureOf(
      gateway.chat({ model: 'p', prompt: 'two', conversation: { previousResponseId: 'resp_q' } }),
    );
    expect(error.code).toBe('no-target');
    expect(error.message).toContain('the response it continues is kept by q');
  });
});
