import type { DoorDialect, DoorEnvironment } from '../../core/dialect.ts';
import { GatewayError, invalidOptions } from '../../core/errors.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { FaultPosition } from '../script/fault.ts';
import { isPiece } from '../script/pieces-source.ts';

/** What one event looks like on the wire; a plain body has two halves and no events. */
export interface Segment {
  readonly text: string;
  readonly event?: ChatEvent;
}

/** A stream as its protocol writes it, event by event, so that a fault knows where it strikes. */
export function streamSegments(
  events: Iterable<ChatEvent>,
  door: DoorDialect,
  environment: DoorEnvironment,
): Segment[] {
  const encoder = codecOf(door).encodeStream(environment);
  const segments: Segment[] = [];
  for (const event of events) {
    let text = '';
    encoder.encode(event, (written) => {
      text += written;
    });
    segments.push({ event, text });
    const opening = event.type === 'start' && text === '' ? openingOf(door, event, environment) : '';
    if (opening !== '') segments.push({ text: opening, event });
  }
  return segments;
}

export function plainSegments(body: string): Segment[] {
  const middle = Math.floor(body.length / 2);
  return [{ text: body.slice(0, middle) }, { text: body.slice(middle) }];
}

/** The text of an error that arrives after the segments before `index`. */
export function errorFrame(
  segments: readonly Segment[],
  index: number,
  error: GatewayError,
  door: DoorDialect,
  environment: DoorEnvironment,
): string {
  // The encoder has to have seen what went before: some protocols count their events.
  const encoder = codecOf(door).encodeStream(environment);
  const ignore = (): void => undefined;
  for (const { event } of segments.slice(0, index)) if (event !== undefined) encoder.encode(event, ignore);
  let text = '';
  encoder.fail(error, (written) => {
    text += written;
  });
  return text;
}

/** The index of the segment a position stands in front of. */
export function indexOf(position: FaultPosition, segments: readonly Segment[]): number {
  if (position === 'after-headers' || position === 'before-headers') return 0;
  if (position === 'after-terminal') return segments.length;
  const streamed = segments.some(({ event }) => event !== undefined);
  if (!streamed) return 1;
  if (position === 'after-start') {
    return 1 + segments.findLastIndex(({ event }) => event?.type === 'start');
  }
  if (position === 'inside-tool-args') {
    const index = segments.findIndex(({ event }) => event?.type === 'tool-call-delta');
    if (index === -1) throw invalidOptions('fault.at', 'inside-tool-args needs an answer that calls a tool.');
    return index + 1;
  }
  const terminal = segments.findIndex(({ event }) => ['usage', 'finish', 'end'].includes(event?.type ?? ''));
  const last = terminal === -1 ? segments.length : terminal;
  if (position === 'before-terminal') return last;
  const pieces = segments.flatMap(({ event }, index) => (event !== undefined && isPiece(event) ? [index] : []));
  if (position.content === 0) return pieces[0] ?? last;
  const piece = pieces[position.content - 1];
  return piece === undefined ? last : piece + 1;
}

export function codecOf(door: DoorDialect): NonNullable<DoorDialect['chat']> {
  if (door.chat === undefined) throw new GatewayError('unsupported', `${door.protocol} has no chat.`);
  return door.chat;
}

/** Chat Completions opens with the role, in a chunk of its own that has no content. Source: its streaming reference, read 2026-11. */
function openingOf(
  door: DoorDialect,
  start: Extract<ChatEvent, { type: 'start' }>,
  environment: DoorEnvironment,
): string {
  if (door.protocol !== 'openai-chat') return '';
  const chunk = {
    id: start.id,
    object: 'chat.completion.chunk',
    created: Math.floor(environment.nowMs / 1000),
    model: start.model,
    choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
