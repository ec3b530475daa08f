import { GatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Events made and not yet taken. Bounded; taking never shifts what is left. */
export class EventQueue<E> {
  #events: E[] = [];
  #taken = 0;

  get isEmpty(): boolean {
    return this.#taken === this.#events.length;
  }

  /** @throws GatewayError `limit-exceeded` */
  push(event: E): void {
    if (this.#events.length - this.#taken >= LIMITS.queuedEventsMax) {
      throw new GatewayError('limit-exceeded', 'The stream made more events at once than may be queued.', {
        limit: { name: 'queuedEventsMax', maximum: LIMITS.queuedEventsMax },
      });
    }
    this.#events.push(event);
  }

  /** The next event. Only when it is not empty. */
  take(): E {
    const event = this.#events[this.#taken++] as E;
    if (this.#taken === this.#events.length) this.clear();
    return event;
  }

  clear(): void {
    this.#events = [];
    this.#taken = 0;
  }
}
