import { describe, expect, it } from 'vitest';
import { stamped } from '../../../src/core/replay.ts';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import { read, response } from './door-support.ts';
import { chat, door, environment, showResponse, writeStream } from './support.ts';

describe('reasoning of another protocol', () => {
  const sealed = stamped<OutputPart>({
    type: 'reasoning',
    text: 'thörough',
    form: 'summary',
    id: 'rs_1',
    sealed: { kind: 'encrypted', value: 'ENC' },
  });
  const foreign = response([sealed, { type: 'text', text: 'x' }], { reason: 'stop' }, 'openai-responses');
  const send = (content: unknown) =>
    door.decodeRequest(
      {
        model: 'm',
        messages: [
          { role: 'user', content: 'q' },
          { role: 'assistant', content },
        ],
      },
      {},
    ).request.messages[1];

  it('travels in an envelope and comes back whole (P06)', async () => {
    const { body } = showResponse(foreign);
    const [thinking] = body['content'] as any[];
    expect(thinking.signature).toMatch(/^ptn1\.openai-responses\.[A-Za-z0-9+/=]+$/);
    const streamed = await read(writeStream(replayChat(foreign)));
    expect(streamed.content[0]).toEqual(thinking);
    expect(send(body['content'])).toMatchObject({
      content: [sealed, { text: 'x' }],
      origin: { protocol: 'openai-responses', provider: 'anthropic', model: 'model-x' },
    });
  });

  it('loses what is sealed when the text or the envelope was changed', () => {
    const [thinking] = showResponse(foreign).body['content'] as any[];
    for (const block of [
      { ...thinking, thinking: 'edited' },
      { ...thinking, signature: `${thinking.signature.slice(0, -9)}AAAA` },
      { ...thinking, signature: 'ptn1.x' },
    ]) {
      expect(send([block])?.content[0]).toEqual({ type: 'reasoning', text: block.thinking, form: 'summary' });
    }
  });

  it('never reaches Anthropic as a signature', () => {
    const messages = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: showResponse(foreign).body['content'] },
      { role: 'user', content: 'r' },
    ];
    const { request, facts } = door.decodeRequest({ model: 'claude-opus-5', max_tokens: 5, messages }, {});
    const { body, warnings } = chat.encodeRequest(request, environment('claude-opus-5', { facts }));
    expect(JSON.stringify(body)).not.toContain('ptn1.');
    expect(warnings.map(({ code }) => code)).toEqual(['dropped-replay']);
  });
});
