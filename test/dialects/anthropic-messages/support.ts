import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DialectEnvironment, Frame, ResponseHead } from '../../../src/core/dialect.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import { anthropicMessagesDoor } from '../../../src/dialects/anthropic-messages/door.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { foldChat } from '../../../src/operations/chat-fold.ts';
import type { ChatResponse } from '../../../src/operations/chat.ts';

const PROVIDERS = new URL('../../../../shared/fixtures/providers/', import.meta.url);
export const haveFixtures = existsSync(PROVIDERS);

export interface Recording {
  readonly name: string;
  readonly text: string;
}

/** Every recording of the messages endpoint whose file name ends so, of all providers. */
export function recordings(ending: string): Recording[] {
  if (!haveFixtures) return [];
  return readdirSync(PROVIDERS).flatMap((provider) => {
    const folder = new URL(`${provider}/messages/`, PROVIDERS);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((file) => file.endsWith(ending))
      .map((file) => ({ name: `${provider}/${file}`, text: readFileSync(new URL(file, folder), 'utf8') }));
  });
}

export const head: ResponseHead = { status: 200, headers: { 'request-id': 'req_1' } };
export const NEW_VERSION = { 'anthropic-version': '2026-10-21' };

export function environment(model = 'claude-sonnet-4-5', more: Partial<DialectEnvironment> = {}): DialectEnvironment {
  return { target: { provider: 'anthropic', model }, stream: false, nowMs: 1_700_000_000_000, ...more };
}

export const chat = anthropicMessages.chat!;
export const door = anthropicMessagesDoor.chat!;

/** SSE text as frames, for text this test suite or the door wrote itself. */
export function framesOf(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const lines = block.split('\n');
      const event = lines.find((line) => line.startsWith('event: '))?.slice(7);
      const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
      return { ...(event !== undefined && { event }), data: data.join('\n') };
    });
}

export function framesOfLines(lines: string): Frame[] {
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((data) => ({ data }));
}

export function decodeFrames(frames: readonly Frame[], env = environment(), at = head): ChatEvent[] {
  const events: ChatEvent[] = [];
  const decoder = chat.decodeStream(at, env);
  for (const frame of frames) decoder.decode(frame, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  checkGrammar(events);
  return events;
}

export function fold(events: readonly ChatEvent[]): ChatResponse {
  const folding = foldChat();
  for (const event of events) folding.add(event);
  return folding.response();
}

export function writeStream(
  events: Iterable<ChatEvent>,
  headers: Readonly<Record<string, string>> = NEW_VERSION,
): string {
  let text = '';
  const encoder = door.encodeStream({ facts: {}, request: {}, headers, nowMs: 0 });
  for (const event of events) encoder.encode(event, (piece) => (text += piece));
  return text;
}

export function showResponse(response: ChatResponse, headers: Readonly<Record<string, string>> = NEW_VERSION) {
  return door.encodeResponse(response, { facts: {}, request: {}, headers, nowMs: 0 });
}

/** Rules G1 to G8 of the event grammar. */
export function checkGrammar(events: readonly ChatEvent[]): void {
  const fail = (message: string): never => {
    throw new Error(`stream grammar: ${message}`);
  };
  const open = new Map<number, { kind: string; text: string }>();
  let next = 0;
  let finished = false;
  for (const [position, event] of events.entries()) {
    if ((event.type === 'start') !== (position === 0)) fail('one start, first');
    if ((event.type === 'end') !== (position === events.length - 1)) fail('one end, last');
    const block = /^(text|reasoning|refusal|tool-call|audio)-(start|delta|end)$/.exec(event.type);
    if (event.type === 'finish') {
      if (finished || open.size > 0) fail('finish once, after every block');
      finished = true;
    }
    if (!('index' in event)) continue;
    if (finished) fail('a part after finish');
    if (block?.[2] === 'start' || event.type === 'part') {
      if (event.index !== next++) fail('indexes count up');
      if (block !== null) open.set(event.index, { kind: block[1] as string, text: '' });
    } else if (event.type === 'citation') {
      if (open.get(event.index)?.kind !== 'text') fail('citation outside text');
    } else if (block !== null) {
      const slot = open.get(event.index);
      if (slot?.kind !== block[1]) fail(`${event.type} on a slot that is not open`);
      if ('text' in event) {
        if (event.text === '') fail('an empty delta');
        if (/[\ud800-\udbff]$/.test(event.text)) fail('a delta ends inside a surrogate pair');
        if (slot !== undefined) slot.text += event.text;
      }
      if (block[2] === 'end') {
        const part = (event as { part: { text?: string; argsText?: string } }).part;
        const whole = part.text ?? part.argsText;
        if (whole !== undefined && whole !== slot?.text) fail('the deltas are not the part');
        open.delete(event.index);
      }
    }
  }
  if (!finished) fail('no finish');
}
