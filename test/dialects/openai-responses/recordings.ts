import { existsSync, readFileSync } from 'node:fs';
import type { DialectEnvironment, Frame, ResponseHead } from '../../../src/core/dialect.ts';
import { foldChat } from '../../../src/operations/chat-fold.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import type { ChatResponse } from '../../../src/operations/chat.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';

const ROOT = new URL('../../../../shared/fixtures/providers/', import.meta.url);

export interface Recording {
  readonly name: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly status: number;
  readonly files: { readonly response?: string; readonly events?: string; readonly request?: string };
}

export const present = existsSync(new URL('manifest.json', ROOT));
export const why = 'the recorded provider traffic is not beside the repository';

export const recordings: readonly Recording[] = present
  ? (JSON.parse(readFileSync(new URL('manifest.json', ROOT), 'utf8')) as Recording[]).filter(
      (row) => row.endpoint === 'responses',
    )
  : [];

export function text(file: string): string {
  return readFileSync(new URL(file, ROOT), 'utf8');
}

/** The events up to the first terminal one: one file holds two answers. */
export function eventsOf(row: Recording): Record<string, any>[] {
  const events = text(row.files.events as string)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line));
  const end = events.findIndex((event) => /^response\.(completed|incomplete|failed)$/.test(event.type));
  return end === -1 ? events : events.slice(0, end + 1);
}

export const head: ResponseHead = { status: 200, headers: {} };
export const environment: DialectEnvironment = {
  target: { provider: 'openai', model: 'gpt-5-mini' },
  stream: true,
  nowMs: 1_700_000_000_000,
};

export function frames(events: readonly unknown[]): Frame[] {
  return events.map((event) => ({ data: JSON.stringify(event) }));
}

/** Everything a stream gives, through the decoder. */
export function decodeAll(list: readonly Frame[], over: Partial<DialectEnvironment> = {}): ChatEvent[] {
  const decoder = openaiResponses.chat!.decodeStream(head, { ...environment, ...over });
  const events: ChatEvent[] = [];
  for (const frame of list) decoder.decode(frame, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

export function fold(events: readonly ChatEvent[]): ChatResponse {
  const folded = foldChat();
  for (const event of events) folded.add(event);
  return folded.response();
}

export function decodeBody(body: unknown, over: Partial<DialectEnvironment> = {}): ChatResponse {
  return openaiResponses.chat!.decodeResponse(body, head, { ...environment, ...over });
}

const BLOCK = /^(text|reasoning|refusal|tool-call|audio)-(start|delta|end)$/;

/** The grammar of canonical.md 5.1 and 5.2, as far as one stream shows it. Throws on the first breach. */
export function checkGrammar(events: readonly ChatEvent[]): void {
  const fail = (what: string): never => {
    throw new Error(`stream grammar: ${what}`);
  };
  const open = new Map<number, { kind: string; text: string }>();
  let next = 0;
  let finished = false;
  let ended = false;
  for (const [position, event] of events.entries()) {
    if (ended) fail('event after end');
    if ((position === 0) !== (event.type === 'start')) fail('start must come once and first');
    if (event.type === 'finish') {
      if (finished || open.size > 0) fail('finish twice or with open blocks');
      finished = true;
    }
    if (event.type === 'end') {
      if (!finished) fail('end before finish');
      ended = true;
    }
    if ('text' in event && event.text === '') fail('empty delta');
    if (event.type === 'progress' && !open.has(event.index)) fail('progress outside a block');
    if (event.type === 'part') {
      if (finished || event.index !== next++) fail('index gap');
    }
    if (event.type === 'citation' && open.get(event.index)?.kind !== 'text') fail('citation outside text');
    const match = BLOCK.exec(event.type);
    if (match === null) continue;
    const [, kind, step] = match as unknown as [string, string, string];
    const { index } = event as { index: number };
    if (finished) fail('block after finish');
    if (step === 'start') {
      if (index !== next++) fail('index gap');
      open.set(index, { kind, text: '' });
      continue;
    }
    const block = open.get(index);
    if (block?.kind !== kind) fail(`${event.type} on no open ${kind}`);
    if (step === 'delta') (block as { text: string }).text += (event as { text: string }).text;
    else {
      const { part } = event as { part: { text?: string; argsText?: string } };
      if ((part.text ?? part.argsText ?? '') !== block?.text) fail(`deltas are not the text of ${event.type}`);
      open.delete(index);
    }
  }
  if (!ended) fail('no end');
}
