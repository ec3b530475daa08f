import type { ChatEvent } from '../operations/chat-events.ts';
import type { Delivered } from './recovery-delivered.ts';

/** Fits the events of a second stream to the end of a first one. */
export interface Continuation {
  map(event: ChatEvent): readonly ChatEvent[];
}

/**
 * The first text of the second stream goes on in the block that is open; later blocks get new places. A second `start`
 * and second thoughts are left out: the reader has had theirs.
 */
export function continuation({ open, nextIndex }: Delivered): Continuation {
  const places = new Map<number, number>();
  let prefix = open;
  let free = nextIndex;
  const textStart = (event: Extract<ChatEvent, { type: 'text-start' }>): readonly ChatEvent[] => {
    if (prefix !== undefined && !places.has(event.index)) {
      places.set(event.index, prefix.index);
      return [];
    }
    places.set(event.index, free++);
    return [{ ...event, index: places.get(event.index) as number }];
  };
  return {
    map(event) {
      switch (event.type) {
        case 'start':
        case 'reasoning-start':
        case 'reasoning-delta':
        case 'reasoning-end':
          return [];
        case 'text-start':
          return textStart(event);
        case 'text-end': {
          const index = places.get(event.index) ?? event.index;
          if (prefix === undefined || index !== prefix.index) return [{ ...event, index }];
          const part = { ...event.part, text: prefix.text + event.part.text };
          prefix = undefined;
          return [{ ...event, index, part }];
        }
        default:
          return 'index' in event ? [{ ...event, index: places.get(event.index) ?? event.index }] : [event];
      }
    },
  };
}
