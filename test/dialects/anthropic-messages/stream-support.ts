import type { ChatEvent } from '../../../src/operations/chat-events.ts';

export const frames = (...events: object[]) => events.map((event) => ({ data: JSON.stringify(event) }));
export const start = (message: object = {}) => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-x',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
    ...message,
  },
});
export const open = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
export const delta = (index: number, piece: object) => ({ type: 'content_block_delta', index, delta: piece });
export const close = (index: number) => ({ type: 'content_block_stop', index });
export const end = (stop_reason: string | null = 'end_turn', usage: object = { output_tokens: 7 }) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
];
export const text = (index: number, words: string) => [
  open(index, { type: 'text', text: '' }),
  delta(index, { type: 'text_delta', text: words }),
  close(index),
];
export const types = (events: readonly ChatEvent[]) => events.map((event) => event.type);

/** One turn with every kind of block, streamed and whole. */
export const SEARCH = {
  type: 'web_search_tool_result',
  tool_use_id: 's1',
  content: [{ type: 'web_search_result', url: 'u', encrypted_content: 'E' }],
};
export const CITATION = {
  type: 'web_search_result_location',
  url: 'u',
  title: 't',
  cited_text: 'q',
  encrypted_index: 'I',
};
export const turn = [
  start({ container: null }),
  open(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'hm' }),
  delta(0, { type: 'signature_delta', signature: 'SIG' }),
  close(0),
  open(1, { type: 'redacted_thinking', data: 'R' }),
  close(1),
  { type: 'ping' },
  open(2, { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }),
  delta(2, { type: 'input_json_delta', partial_json: '{"query":' }),
  delta(2, { type: 'input_json_delta', partial_json: '"x"}' }),
  close(2),
  open(3, SEARCH),
  close(3),
  open(4, { type: 'text', text: '', citations: [] }),
  delta(4, { type: 'text_delta', text: 'Rome ' }),
  delta(4, { type: 'text_delta', text: 'is far' }),
  delta(4, { type: 'citations_delta', citation: CITATION }),
  close(4),
  open(5, { type: 'made_up_block', value: 1 }),
  close(5),
  open(6, { type: 'tool_use', id: 't1', name: 'go', input: {}, caller: { type: 'direct' } }),
  delta(6, { type: 'input_json_delta', partial_json: '{"to": "Rome"}' }),
  close(6),
  ...end('tool_use', { output_tokens: 7, server_tool_use: { web_search_requests: 1 } }),
];
export const whole = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'SIG' },
    { type: 'redacted_thinking', data: 'R' },
    { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'x' } },
    SEARCH,
    { type: 'text', text: 'Rome is far', citations: [CITATION] },
    { type: 'made_up_block', value: 1 },
    { type: 'tool_use', id: 't1', name: 'go', input: { to: 'Rome' }, caller: { type: 'direct' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  container: null,
  usage: { input_tokens: 9, output_tokens: 7, server_tool_use: { web_search_requests: 1 } },
};
