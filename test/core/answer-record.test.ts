import { describe, expect, it } from 'vitest';
import { type AnswerRecord, decodeRecord, encodeRecord } from '../../src/core/answer-record.ts';
import type { ChatResponse } from '../../src/operations/chat.ts';
import type { OutputPart } from '../../src/operations/chat-parts.ts';

const recordOf = (...content: OutputPart[]): AnswerRecord<'chat'> => ({
  version: 1,
  at: 1,
  ttlMs: 2,
  producer: 'a/one',
  target: { provider: 'a', model: 'one' },
  response: {
    id: 'r1',
    model: 'one',
    createdAt: '2026-01-01T00:00:00.000Z',
    message: { role: 'assistant', content },
    finish: { reason: 'stop' },
    usage: { input: 1, output: 1, total: 2, tokens: { input: 1, output: 1 }, lines: [], quality: 'reported' },
    warnings: [],
  } satisfies ChatResponse,
});

describe('an answer as it is kept', () => {
  it('comes back as it was, whatever stands in its text', () => {
    for (const text of ['', 'Hello', 'two\nlines\n', '\n', '{"text":"\u2028"}', 'é 😀', 'half \ud83d']) {
      const record = recordOf({ type: 'text', text });
      expect(decodeRecord(encodeRecord(record))).toEqual(record);
    }
  });

  it('comes back with all its parts', () => {
    const record = recordOf({ type: 'reasoning', text: 'why\nso', form: 'full' }, { type: 'text', text: 'a\nb' });
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
    expect(decodeRecord(encodeRecord(recordOf()))).toEqual(recordOf());
  });

  it('is read as it was written before texts stood by themselves', () => {
    const record = recordOf({ type: 'text', text: 'Hello\nthere' });
    expect(decodeRecord(JSON.stringify(record))).toEqual(record);
  });

  it('is nothing where the text has no place', () => {
    const { response: _response, ...failed } = recordOf();
    const failure = { code: 'not-found', message: 'no' } as const;
    expect(decodeRecord(`${JSON.stringify({ ...failed, failure })}\ntext`)).toBeUndefined();
    expect(decodeRecord(`${JSON.stringify(recordOf())}\ntext`)).toBeUndefined();
    expect(decodeRecord('no JSON\ntext')).toBeUndefined();
  });
});
