import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { normaliseChat } from '../../src/operations/chat-normalise.ts';
import { RequestProblem } from '../../src/operations/problem.ts';

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3);
const call = { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'look', args: { q: 1 } }] } as const;

describe('normaliseChat', () => {
  it('N01: a string is one user message with the default model', () => {
    expect(normaliseChat('hi')).toEqual({
      model: 'default',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    });
  });

  it('N02: bytes and data URLs become base64 with their media type', () => {
    const data = Buffer.from(PNG).toString('base64');
    const { messages } = normaliseChat({
      prompt: [
        { type: 'image', source: PNG },
        { type: 'image', source: `data:image/gif;base64,${data}` },
      ],
    });
    expect(messages[0]?.content).toEqual([
      { type: 'image', source: { kind: 'base64', data }, mediaType: 'image/png' },
      { type: 'image', source: { kind: 'base64', data }, mediaType: 'image/gif' },
    ]);
  });

  it('N03: a tool result gets the name of its call', () => {
    const { messages } = normaliseChat({
      messages: [
        { role: 'user', content: 'x' },
        call,
        { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', content: 'ok' }] },
      ],
    });
    expect(messages[2]?.content[0]).toMatchObject({ name: 'look', callId: 'c1' });
  });

  it('N04: is idempotent and survives JSON', () => {
    const inputs = [
      'hi',
      {
        system: 'be brief',
        prompt: 'x',
        stop: 'END',
        reasoning: 'low',
        output: z.object({ a: z.string() }),
        tools: [{ name: 't', input: z.object({ q: z.number().optional() }) }],
      },
      {
        messages: [
          { role: 'user', content: 'x' },
          call,
          { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', content: 'ok' }] },
        ],
      },
      { prompt: [{ type: 'file', source: 'https://example.com/a.pdf' }], output: 'json', reasoning: false },
    ] as const;
    for (const input of inputs) {
      const once = normaliseChat(input as never);
      expect(normaliseChat(once as never)).toEqual(once);
      expect(JSON.parse(JSON.stringify(once))).toEqual(once);
    }
  });

  const bad: [string, unknown, string][] = [
    [
      'N05: a tool result without its call',
      { messages: [{ role: 'tool', content: [{ type: 'tool-result', callId: 'x', content: '' }] }] },
      'messages[0].content[0].callId',
    ],
    ['an unknown field', { prompt: 'x', temprature: 1 }, 'temprature'],
    ['a wrong role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    [
      'a part of the wrong place',
      { messages: [{ role: 'system', content: [{ type: 'image', source: PNG }] }] },
      'messages[0].content[0].type',
    ],
    [
      'a text part without text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages[0].content[0].text',
    ],
    ['no message at all', {}, 'messages'],
    ['a temperature out of range', { prompt: 'x', temperature: 9 }, 'temperature'],
    ['a schema that is none', { prompt: 'x', output: 7 }, 'output'],
    ['two tools of one name', { prompt: 'x', tools: [{ name: 'a' }, { name: 'a' }] }, 'tools[1].name'],
    ['a tool with code', { prompt: 'x', tools: [{ name: 'a', run: () => 1 }] }, 'tools[0].run'],
    ['a source that is nothing', { prompt: [{ type: 'image', source: 'nope' }] }, 'prompt[0].source'],
    ['an unknown effort', { prompt: 'x', reasoning: 'hard' }, 'reasoning.effort'],
    ['a call id twice', { messages: [call, call] }, 'messages[1].content[0].id'],
  ];
  for (const [what, input, field] of bad) {
    it(`refuses ${what} and names ${field}`, () => {
      const thrown = (() => {
        try {
          normaliseChat(input as never);
        } catch (error) {
          return error;
        }
        return undefined;
      })();
      expect(thrown).toBeInstanceOf(RequestProblem);
      expect(thrown).toMatchObject({ field });
    });
  }

  it('hints at a mistyped field', () => {
    expect(() => normaliseChat({ prompt: 'x', maxToken: 3 } as never)).toThrowError(/Did you mean maxTokens\?/);
  });

  it('makes JSON Schema of zod schemas', () => {
    const { output, tools } = normaliseChat({
      prompt: 'x',
      output: z.object({ city: z.string() }),
      tools: [{ name: 't', input: z.object({ q: z.string() }) }],
    });
    expect(output).toMatchObject({ type: 'schema', name: 'output', schema: { type: 'object', required: ['city'] } });
    expect(tools?.[0]).toMatchObject({ type: 'function', input: { properties: { q: { type: 'string' } } } });
  });
});
