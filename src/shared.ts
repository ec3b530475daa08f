import { EventEmitter } from 'eventemitter3';
import { type Catalogue, type CatalogueOption, createCatalogue } from './catalogue.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { Deadlines } from './core/deadlines.ts';
import { toGatewayError } from './core/errors.ts';
import type { Emit, EventName, Events, GatewayEvents } from './core/events.ts';
import { createHealth, type Health } from './core/health.ts';
import type { MiddlewareInfo } from './core/middleware.ts';
import { createRouting, type Routing } from './core/routing/state.ts';

/** What all gateways derived from one share: clock, events, health, background work, the end. */
export interface Shared {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: Events;
  readonly emit: Emit;
  readonly health: Health;
  readonly routing: Routing;
  readonly catalogue: Catalogue;
  readonly inFlight: Set<(reason: unknown) => void>;
  /** When each call in flight has had its time. A call keeps the process alive until it has its reply. */
  readonly deadlines: Deadlines;
  readonly background: Set<Promise<unknown>>;
  readonly started: Set<MiddlewareInfo>;
  waitUntil(work: Promise<unknown>): void;
  closed: boolean;
}

export function createShared(
  clock: Clock = systemClock,
  random: () => number = Math.random,
  catalogue?: CatalogueOption,
): Shared {
  const emitter = new EventEmitter();
  const background = new Set<Promise<unknown>>();
  const emit: Emit = (name, event) => {
    if (emitter.listenerCount(name) === 0) return;
    for (const listener of emitter.listeners(name)) {
      try {
        listener(event);
      } catch (thrown) {
        // A listener harms neither the call nor the other listeners; a failing problem listener is not told of itself.
        if (name !== 'problem') reportProblem(emit, thrown, `listener of ${name}`);
      }
    }
  };
  const events: Events = {
    on(name, listener) {
      emitter.on(name, listener);
      return () => void emitter.off(name, listener);
    },
    has: (name: EventName) => emitter.listenerCount(name) > 0,
  };
  const health = createHealth(clock, emit);
  const routing = createRouting({ clock, random, health, emit });
  return {
    clock,
    random,
    events,
    emit,
    health,
    routing,
    catalogue: createCatalogue(routing, catalogue),
    inFlight: new Set(),
    deadlines: new Deadlines(clock),
    background,
    started: new Set(),
    closed: false,
    waitUntil(work) {
      const watched = work
        .catch((thrown: unknown) => reportProblem(emit, thrown, 'background work'))
        .finally(() => background.delete(watched));
      background.add(watched);
    },
  };
}

/** Makes a `problem` event of what was thrown where nobody waits for it. */
export function reportProblem(emit: Emit, thrown: unknown, stage: string): void {
  const error = toGatewayError(thrown, stage);
  emit('problem', { stage, code: error.code, error } satisfies GatewayEvents['problem']);
}
