import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import { size } from '../../size.ts';
import { chat, decodeFrames, door, environment, head } from './support.ts';

const index = fc.constantFrom<unknown>(0, 1, 2, 7, undefined, null, 'x');
const junk = fc.jsonValue({ maxDepth: 2 });
const piece = fc.oneof(
  fc.record({ type: fc.constant('text_delta'), text: fc.oneof(fc.string(), junk) }),
  fc.record({ type: fc.constant('thinking_delta'), thinking: fc.oneof(fc.string(), junk) }),
  fc.record({
    type: fc.constant('input_json_delta'),
    partial_json: fc.constantFrom<unknown>('{"a"', ':1}', '', '{}', null, 3),
  }),
  fc.record({ type: fc.constant('signature_delta'), signature: fc.oneof(fc.string(), junk) }),
  fc.record({ type: fc.constant('citations_delta'), citation: junk }),
  junk,
);
const block = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom(
        'text',
        'thinking',
        'redacted_thinking',
        'tool_use',
        'mcp_tool_use',
        'x_tool_result',
        'new',
      ),
      text: junk,
      input: junk,
      id: junk,
      content: junk,
    },
    { requiredKeys: ['type'] },
  ),
  junk,
);
const event = fc.oneof(
  fc.record({ type: fc.constant('content_block_start'), index, content_block: block }),
  fc.record({ type: fc.constant('content_block_delta'), index, delta: piece }),
  fc.record({ type: fc.constant('content_block_stop'), index }),
  fc.record({ type: fc.constant('message_delta'), delta: junk, usage: junk }),
  fc.record({ type: fc.constant('ping') }),
  fc.record({ type: junk }),
);
const runs = { seed: 11, numRuns: size(300, 5000) };

/** Our own errors are an answer; anything else is a crash. */
function survives(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!isGatewayError(error)) throw error;
  }
}

describe('whatever a server or an application sends', () => {
  it('is decoded to a valid stream or our own error (S01)', () => {
    const message = { id: 'm', model: 'x', usage: { input_tokens: 1, output_tokens: 1 } };
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const all = [{ type: 'message_start', message }, ...events, { type: 'message_stop' }];
        // The grammar is checked inside.
        decodeFrames(all.map((wire) => ({ data: JSON.stringify(wire) })));
      }),
      runs,
    );
  });

  it('never crashes the decoders of answers, errors and requests', () => {
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'x'),
      content: fc.oneof(fc.array(block), junk),
    });
    const request = fc.record(
      {
        model: fc.constant('claude-opus-5'),
        messages: fc.array(message),
        tools: fc.oneof(fc.array(block), junk),
        tool_choice: junk,
        system: junk,
        thinking: junk,
        output_config: junk,
        metadata: junk,
        mcp_servers: junk,
      },
      { requiredKeys: ['model', 'messages'] },
    );
    fc.assert(
      fc.property(junk, fc.array(block), request, (value, content, wire) => {
        survives(() => chat.decodeResponse(value, head, environment()));
        survives(() => chat.decodeResponse({ content, usage: value, stop_reason: value }, head, environment()));
        expect(anthropicMessages.decodeError(value, { status: 400, headers: {} }, environment()).status).toBe(400);
        survives(() => {
          const { request: decoded, facts } = door.decodeRequest(wire, {});
          chat.encodeRequest(decoded, environment('claude-opus-5', { facts }));
        });
      }),
      runs,
    );
  });
});
