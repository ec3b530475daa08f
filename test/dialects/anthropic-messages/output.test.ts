import { describe, expect, it } from 'vitest';
import { body, codes } from './encode-support.ts';
import { chat, environment } from './support.ts';

describe('the shape of the answer', () => {
  const schema = {
    type: 'object',
    properties: { age: { type: 'integer', minimum: 1 }, mail: { type: 'string', format: 'email' } },
    required: ['age'],
  };
  const output = { type: 'schema' as const, name: 'x', schema };

  it('moves keywords it cannot enforce into descriptions, with a warning', () => {
    expect(body({ output })['output_config'].format).toEqual({
      type: 'json_schema',
      schema: {
        ...schema,
        properties: {
          age: { type: 'integer', description: '{minimum: 1}' },
          mail: { type: 'string', format: 'email' },
        },
        additionalProperties: false,
      },
    });
    expect(codes({ output })).toEqual(['schema-rewritten output']);
  });

  it('uses a tool the model must call where there is no structured output, and reads its call as text', () => {
    const wire = body({ output }, 'claude-sonnet-4-0');
    expect(wire['tool_choice']).toEqual({ type: 'tool', name: 'ptn_output' });
    const answer = {
      content: [{ type: 'tool_use', id: 't', name: 'ptn_output', input: { age: 3 } }],
      stop_reason: 'tool_use',
    };
    const response = chat.decodeResponse(answer, { status: 200, headers: {} }, environment());
    expect(response.message.content).toEqual([{ type: 'text', text: '{"age":3}' }]);
    expect(response.finish).toEqual({ reason: 'stop', raw: 'tool_use' });
    expect(response.warnings).toEqual([]);
  });

  it('asks in words for a list where only a tool could be forced', () => {
    const list = { ...output, schema: { type: 'array', items: { type: 'string' } } };
    expect(body({ output: list }, 'claude-sonnet-4-0')['system'][0].text).toContain('JSON Schema');
    expect(() => body({ output: { ...list, via: 'tool' } })).toThrow(/wrap it in an object/);
  });

  it('puts the description of the output where the model reads it', () => {
    expect(body({ output: { ...output, description: 'A person.' } })['output_config'].format.schema.description).toBe(
      'A person.',
    );
  });

  it('asks in words where nothing else is left, with a warning', () => {
    expect(body({ output: { type: 'json' } })['system'][0].text).toContain('JSON');
    expect(codes({ output: { type: 'json' } })).toEqual(['degraded output json']);
  });
});
