import type { ChatEvent } from '../operations/chat-events.ts';
import { estimateTokens } from '../operations/estimate-tokens.ts';
import type { Transform } from './event-stream.ts';
import type { Reservation } from './limit-reservation.ts';

/** Characters that are counted together: one piece of a word says little about tokens. */
const COUNTED_TOGETHER = 256;
/** The same close to the end. */
const COUNTED_NEAR = 16;
/** From this part of what is held on, more is asked for. */
const GROW_AT = 0.75;
/** A provider that was told its maximum is cut only this far beyond it: our count is an estimate. */
const BOUND_SLACK = 1.25;
const GROW_TOKENS_MIN = 256;

/** Watches how much a stream writes: holds more while there is room, and cuts it where the limit ends. */
export function outputCap(reservation: Reservation, cut: () => Error): Transform<ChatEvent> {
  const { need } = reservation.facts;
  const step = Math.max(GROW_TOKENS_MIN, need.outputAssumed);
  let counted = 0;
  let text = '';
  const look = (): void => {
    counted += estimateTokens(text);
    text = '';
    if (need.outputBound) {
      if (counted > need.outputAssumed * BOUND_SLACK + COUNTED_TOGETHER / 4) throw cut();
      return;
    }
    if (counted >= reservation.outputMax * GROW_AT) reservation.grow(step);
    if (counted > reservation.outputMax) throw cut();
  };
  return {
    observes: true,
    event(event, emit) {
      switch (event.type) {
        case 'text-delta':
        case 'reasoning-delta':
        case 'tool-call-delta':
        case 'refusal-delta': {
          text += event.text;
          const near = counted + text.length / 2 >= reservation.outputMax * GROW_AT;
          if (text.length >= (near ? COUNTED_NEAR : COUNTED_TOGETHER)) look();
          break;
        }
        case 'usage':
          counted = Math.max(counted, event.usage.output);
          text = '';
          break;
        default:
          break;
      }
      emit(event);
    },
  };
}
