import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { textOf, toolCallsOf } from '../../../src/operations/chat.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { checkGrammar, decodeAll, environment, fold, frames, head } from './recordings.ts';

const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
const created = {
  type: 'response.created',
  response: { id: 'resp_1', model: 'm', created_at: 1, status: 'in_progress', output: [] },
};
const completed = (output?: unknown[], over: object = {}) => ({
  type: 'response.completed',
  response: { id: 'resp_1', model: 'm', created_at: 1, status: 'completed', usage, ...(output && { output }), ...over },
});
const message = (text: string, id = 'msg_1') => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const added = (item: object, output_index = 0) => ({ type: 'response.output_item.added', output_index, item });
const done = (item: object, output_index = 0) => ({ type: 'response.output_item.done', output_index, item });
const delta = (text: string, output_index = 0, content_index = 0) => ({
  type: 'response.output_text.delta',
  output_index,
  content_index,
  item_id: 'msg_1',
  delta: text,
});

function run(...events: unknown[]): ChatEvent[] {
  const decoded = decodeAll(frames([created, ...events]));
  checkGrammar(decoded);
  return decoded;
}

function codeOf(events: unknown[]): unknown {
  try {
    decodeAll(frames(events));
  } catch (error) {
    return isGatewayError(error) ? [error.code, error.status] : error;
  }
  return undefined;
}

describe('openai-responses decodeStream', () => {
  it('opens text whose announcements are missing, and closes it from the final answer', () => {
    expect(textOf(fold(run(delta('Hel'), delta('lo'), completed([message('Hello')]))).message)).toBe('Hello');
    expect(textOf(fold(run(delta('Hel'), delta('lo'), completed())).message)).toBe('Hello');
  });

  it('adds what was never streamed of a text, of arguments and of a summary', () => {
    const call = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: '{"a":1}' };
    const thought = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [
        { type: 'summary_text', text: 'x' },
        { type: 'summary_text', text: 'y' },
      ],
    };
    const events = run(
      added({ ...thought, summary: [] }),
      done(thought),
      added({ ...message(''), content: [] }, 1),
      delta('Hel', 1),
      done(message('Hello'), 1),
      added({ ...call, arguments: '' }, 2),
      done(call, 2),
      completed([thought, message('Hello'), call]),
    );
    const deltas = events.flatMap((event) => (event.type.endsWith('-delta') ? [(event as { text: string }).text] : []));
    expect(deltas).toEqual(['x\n\ny', 'Hel', 'lo', '{"a":1}']);
    expect(fold(events).finish).toEqual({ reason: 'tool-calls', raw: 'completed' });
  });

  it('tells items that only the final answer holds', () => {
    const response = fold(run(completed([message('a'), { type: 'refusal_like_thing', id: 'z' }])));
    expect(response.message.content.map((part) => part.type)).toEqual(['text', 'native']);
  });

  it('trusts the final answer where it differs, and warns', () => {
    const events = decodeAll(frames([created, delta('Hullo'), done(message('Hello')), completed([message('Hello')])]));
    const response = fold(events);
    expect(textOf(response.message)).toBe('Hello');
    expect(response.warnings.map((warning) => warning.code)).toEqual(['provider']);
  });

  it('never breaks a surrogate pair and never sends an empty delta, STR-09', () => {
    const events = run(
      delta('a\ud83c'),
      delta('\udf0db'),
      delta(''),
      done(message('a🌍b')),
      completed([message('a🌍b')]),
    );
    const deltas = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []));
    expect(deltas).toEqual(['a', '🌍b']);
  });

  it('waits for the name of a call before it starts it', () => {
    const call = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'f', arguments: '{"a":1}' };
    const args = { type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_1', delta: '{"a"' };
    const events = run(args, done(call), completed([call]));
    expect(events.filter((event) => event.type === 'tool-call-start')).toEqual([
      { type: 'tool-call-start', id: 'c', name: 'f', executor: 'client', encoding: 'json', index: 0 },
    ]);
    expect(toolCallsOf(fold(events).message)[0]?.args).toEqual({ a: 1 });
  });

  it('keeps calls apart that a server counts with one index, TOOL-01', () => {
    const call = (id: string) => ({
      type: 'function_call',
      id: `fc_${id}`,
      call_id: id,
      name: 'f',
      arguments: `{"n":"${id}"}`,
    });
    const events = run(
      added({ ...call('a'), arguments: '' }),
      done(call('a')),
      added({ ...call('b'), arguments: '' }),
      done(call('b')),
      completed(),
    );
    expect(toolCallsOf(fold(events).message).map((one) => [one.id, one.args])).toEqual([
      ['a', { n: 'a' }],
      ['b', { n: 'b' }],
    ]);
  });

  it('marks broken arguments invalid and goes on, TOOL-04, and says length for a cut call, TOOL-05', () => {
    const call = {
      type: 'function_call',
      id: 'fc_1',
      call_id: 'c',
      name: 'f',
      arguments: '{"a":',
      status: 'incomplete',
    };
    const cut = {
      ...completed([call], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      type: 'response.incomplete',
    };
    const response = fold(run(added({ ...call, arguments: '' }), done(call), cut));
    expect(response.finish).toEqual({ reason: 'length', raw: 'max_output_tokens' });
    expect(toolCallsOf(response.message)[0]).toMatchObject({ args: null, argsText: '{"a":', invalid: {} });
  });

  it('shows what a hosted tool is doing, and its result as a part', () => {
    const search = {
      type: 'file_search_call',
      id: 'fs_1',
      status: 'completed',
      queries: ['q'],
      results: [{ text: 'r' }],
    };
    const events = run(
      added({ type: 'file_search_call', id: 'fs_1', status: 'in_progress' }),
      { type: 'response.file_search_call.searching', output_index: 0, item_id: 'fs_1' },
      done(search),
      completed([search]),
    );
    expect(events.map((event) => event.type)).toEqual([
      ...['start', 'tool-call-start', 'progress', 'tool-call-delta', 'tool-call-end', 'part', 'usage', 'finish', 'end'],
    ]);
    expect(fold(events).finish.reason).toBe('stop');
  });

  it('throws an error event and a failed response before any content, STR-03, STR-04', () => {
    const quota = { code: 'insufficient_quota', message: 'You exceeded your current quota' };
    const progress = { ...created, type: 'response.in_progress' };
    expect(codeOf([created, progress, { type: 'error', ...quota }])).toEqual(['quota-exceeded', 429]);
    expect(codeOf([created, { type: 'error', error: { ...quota, type: 'insufficient_quota' } }])).toEqual([
      'quota-exceeded',
      429,
    ]);
    expect(codeOf([{ error: { message: 'no', type: 'server_error' } }])).toEqual(['unavailable', 500]);
    const failed = { id: 'resp_1', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'x' } };
    expect(codeOf([created, { type: 'response.failed', response: failed }])).toEqual(['rate-limited', 429]);
    expect(codeOf([created, { type: 'response.failed', response: { status: 'failed' } }])).toEqual([
      'unavailable',
      500,
    ]);
  });

  it('calls junk and a missing terminal an interruption', () => {
    expect(codeOf([created, delta('x')])).toEqual(['stream-interrupted', undefined]);
    const decoder = openaiResponses.chat!.decodeStream(head, environment);
    expect(() => decoder.decode({ data: '<html>' }, () => undefined)).toThrow(/broke off/);
  });

  it('ignores empty frames, unknown events and what comes after the terminal, STR-15', () => {
    const list = frames([
      created,
      { type: 'response.new_thing', output_index: 9 },
      delta('x'),
      completed([message('x')]),
      { type: 'error' },
    ]);
    const events = decodeAll([{ data: '' }, ...list, { data: '[DONE]' }]);
    checkGrammar(events);
    expect(textOf(fold(events).message)).toBe('x');
  });

  it('starts from content when a replay begins in the middle', () => {
    const events = decodeAll(frames([delta('x'), completed([message('x')])]));
    checkGrammar(events);
    expect([fold(events).id, fold(events).model]).toEqual(['resp_1', 'm']);
  });

  it('keeps provider events only when asked for', () => {
    const list = frames([created, delta('x'), completed([message('x')])]);
    expect(decodeAll(list).some((event) => event.type === 'raw')).toBe(false);
    expect(decodeAll(list, { raw: true }).filter((event) => event.type === 'raw')).toHaveLength(3);
  });
});
