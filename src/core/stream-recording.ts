import type { ChatEvent } from '../operations/chat-events.ts';
import type { OperationName, Operations } from '../operations/index.ts';
import { traitsOf } from '../operations/traits-table.ts';
import type { Call } from './call.ts';
import { type Clock, sleep } from './clock.ts';
import type { EventSource, Transform } from './event-source.ts';

/** When each piece of each block came: `[milliseconds since the first event, length of the piece]`, by block. */
export type Rhythm = Readonly<Record<string, readonly (readonly [number, number])[]>>;

type Delta = Extract<ChatEvent, { text: string }>;
const DELTAS = new Set(['text-delta', 'reasoning-delta', 'refusal-delta', 'tool-call-delta']);

/**
 * Watches a stream and hands over its response, only if it came whole: a broken or abandoned one is never heard of, nor
 * is one that another attempt went on with, in other words.
 */
export function recordStream<K extends OperationName>(
  call: Call<K>,
  withRhythm: boolean,
  onWhole: (response: Operations[K]['response'], rhythm: Rhythm | undefined) => void,
  onClose: () => void,
): Transform<Operations[K]['event']> {
  const fold = traitsOf<K>(call.operation).stream?.fold();
  const { clock } = call.context;
  let beats: Record<string, [number, number][]> = {};
  let began: number | undefined;
  let told = false;
  let begun = 0;
  return {
    observes: true,
    event(event, emit) {
      fold?.add(event);
      if ((event as ChatEvent).type === 'reset') {
        // What came before belongs to no answer any more.
        beats = {};
        began = undefined;
        begun = brokenOff(call);
      }
      // With its terminal event it is whole, even if nobody waits for what comes after.
      if (fold?.complete === true && !told) {
        told = true;
        if (brokenOff(call) > begun) return emit(event);
        onWhole(fold.response(), withRhythm ? beats : undefined);
      }
      if (withRhythm && isDelta(event)) {
        began ??= clock.monotonic();
        (beats[blockOf(event)] ??= []).push([Math.round(clock.monotonic() - began), event.text.length]);
      }
      emit(event);
    },
    close: onClose,
  };
}

/** Attempts that broke after their first content. */
function brokenOff(call: Call): number {
  return call.context.attempts.filter(
    ({ outcome, firstContentMs }) => outcome === 'failed' && firstContentMs !== undefined,
  ).length;
}

function isDelta(event: unknown): event is Delta {
  return DELTAS.has((event as { type: string }).type);
}

function blockOf({ type, choice, index }: Delta): string {
  return `${type}:${choice ?? 0}:${index}`;
}

/** The events of a kept answer in the pieces, and at the pace, they came in. */
export function rhythmicSource(events: Iterable<ChatEvent>, rhythm: Rhythm, clock: Clock, signal: AbortSignal) {
  const source: EventSource<ChatEvent> = {
    async read(emit) {
      const { done, value } = steps.next();
      if (done === true) return false;
      const waitMs = value.atMs - (clock.monotonic() - began);
      if (waitMs > 0) await sleep(clock, waitMs, signal);
      emit(value.event);
      return true;
    },
    cancel: () => void steps.return(undefined),
  };
  const steps = piecesOf(events, rhythm);
  const began = clock.monotonic();
  return source;
}

function* piecesOf(events: Iterable<ChatEvent>, rhythm: Rhythm): Generator<{ event: ChatEvent; atMs: number }> {
  let now = 0;
  for (const event of events) {
    const beats = isDelta(event) ? rhythm[blockOf(event)] : undefined;
    if (!isDelta(event) || beats === undefined) {
      yield { event, atMs: now };
      continue;
    }
    let offset = 0;
    for (const [index, [atMs, length]] of beats.entries()) {
      // Blocks that came interleaved are replayed one after the other: time never goes back.
      now = Math.max(now, atMs);
      const end = index === beats.length - 1 ? event.text.length : offset + length;
      const text = event.text.slice(offset, end);
      offset = end;
      if (text !== '') yield { event: { ...event, text }, atMs: now };
    }
  }
}
