import { AdmissionQueue, overloadedHere } from '../core/admission-queue.ts';
import { type AdaptiveLimit, adaptiveLimit, beginningOf } from '../core/adaptive-limit.ts';
import type { Call, Scope } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import { contextKey } from '../core/context.ts';
import { LIMITS } from '../core/limits.ts';
import { type LoadShedder, loadShedder } from '../core/load-shedder.ts';
import {
  type AttemptObserver,
  type AttemptOutcome,
  defineMiddleware,
  type Host,
  type Middleware,
} from '../core/middleware.ts';
import { aBoolean, checkOptions, milliseconds, oneOf, wholeNumber } from '../core/options.ts';

export interface ConcurrencyOptions {
  /** Most calls in flight at one target. With `adaptive`, the most it may find. `0` is no limit. @defaultValue 200 */
  readonly targetMax?: number;
  /** Finds the limit of each target from how fast its answers begin. @defaultValue false */
  readonly adaptive?: boolean;
  /** Where adaptive limits begin, and the least they go down to. @defaultValue 20 */
  readonly adaptiveMin?: number;
  /** Most calls in flight of one scope. `0` is no limit. @defaultValue 0 */
  readonly scopeMax?: number;
  /** Which part of the scope `scopeMax` is for; calls without it share one place. @defaultValue 'tenant' */
  readonly scope?: 'tenant' | 'user' | 'app' | 'agent' | 'session';
  /** Most calls that wait at one target or scope. @defaultValue 100 */
  readonly queueMax?: number;
  /** Longest wait, in milliseconds. @defaultValue 10_000 */
  readonly queueMs?: number;
  /** Leaves a full target for the next candidate, and waits only where there is none. @defaultValue true */
  readonly spill?: boolean;
  /** Turns calls away while a target refuses more than half of them, the least important first. @defaultValue false */
  readonly shed?: boolean;
}

interface Gate {
  readonly queue: AdmissionQueue;
  readonly limit?: AdaptiveLimit;
  readonly shedder?: LoadShedder;
}

/** Targets this call found full. */
const spilledKey = contextKey<ReadonlySet<string>>('concurrency spilled', new Set());

/**
 * Keeps the number of calls in flight within what targets and scopes bear. Who has to wait waits by priority and in a
 * bounded queue; who cannot is told at once.
 *
 * Place it after `route` and before `timeout`, so that waiting is on nobody's clock but the call's own.
 *
 * @throws GatewayError `overloaded` with `stage: 'queue'`: `route` goes on to the next candidate.
 * @example
 * createGateway({ providers, use: [retry(), route(), concurrency({ targetMax: 50, scopeMax: 10 }), timeout()] })
 */
export function concurrency(options: ConcurrencyOptions = {}): Middleware {
  checkOptions('concurrency', options, {
    targetMax: wholeNumber(0),
    adaptive: aBoolean,
    adaptiveMin: wholeNumber(1),
    scopeMax: wholeNumber(0),
    scope: oneOf('tenant', 'user', 'app', 'agent', 'session'),
    queueMax: wholeNumber(0),
    queueMs: milliseconds,
    spill: aBoolean,
    shed: aBoolean,
  });
  const { scopeMax = 0, spill = true } = options;
  const gates = gatesOf(options);
  const scopeField: keyof Scope = options.scope ?? 'tenant';
  return defineMiddleware(
    {
      name: 'concurrency',
      outside: ['timeout'],
      start: gates.start,
      attempt(call) {
        const gate = call.target === undefined ? undefined : gates.known(call.target.id);
        return gate === undefined ? undefined : observerOf(gate, call.stream, call.context.clock);
      },
      explain: (call) => ({ summary: gates.explain(call) }),
    },
    async function concurrency(call, next) {
      const target = call.target ?? call.plan.candidates[0];
      const { priority, signal, deadline } = call;
      const admission = { priority, signal, deadline };
      const gate = target === undefined || !gates.used ? undefined : gates.target(target.id);
      if (gate !== undefined && target !== undefined) checkRoom(call, target.id, gate, spill);
      const leaves: (() => void)[] = [];
      const leave = (): void => {
        for (const each of leaves.reverse()) each();
        leaves.length = 0;
      };
      try {
        if (scopeMax > 0) leaves.push(await gates.scope(call.scope[scopeField] ?? '').enter(admission));
        if (gate !== undefined) leaves.push(await gate.queue.enter(admission));
        const reply = await next(call);
        if (reply.stream) reply.events.append({ observes: true, close: leave });
        else leave();
        return reply;
      } catch (error) {
        leave();
        throw error;
      }
    },
  );
}

/** Feeds what an attempt shows to the adaptive limit and the shedder of its target. */
function observerOf({ queue, limit, shedder }: Gate, stream: boolean, clock: Clock): AttemptObserver | undefined {
  if (limit === undefined && shedder === undefined) return undefined;
  shedder?.sent(clock.monotonic());
  let began = false;
  return {
    commit({ firstContentMs }) {
      began = true;
      shedder?.accepted(clock.monotonic());
      if (stream) limit?.sample(firstContentMs, queue.inside);
      queue.drain();
    },
    end(outcome) {
      const { status, durationMs, usage } = outcome;
      const drop = isDrop(outcome);
      if (drop) limit?.dropped();
      else if (!stream && status === 'completed') {
        limit?.sample(beginningOf(durationMs, usage?.output ?? 0), queue.inside, 'plain');
        queue.drain();
      }
      if (shedder === undefined) return;
      if (status === 'refused') {
        shedder.withdrawn(clock.monotonic());
        return;
      }
      // Even a no is an answer; silence is none.
      if (!began && (drop || outcome.error?.code === 'timeout')) shedder.refused();
      else if (!began) shedder.accepted(clock.monotonic());
      if (!drop) shedder.took(durationMs);
    },
  };
}

/** Says at once what waiting would not help. */
function checkRoom(call: Call, id: string, { queue, shedder }: Gate, spill: boolean): void {
  const { priority, context } = call;
  if (shedder?.sheds(priority, context.clock.monotonic()) === true) {
    throw overloadedHere(`${id} refuses too much to be sent ${priority} calls now.`, 'concurrency.shed', queue.inside);
  }
  if (spill && !queue.isFree && hasOther(call, id)) {
    throw overloadedHere(`${id} is full; the next candidate may have room.`, 'concurrency.targetMax', queue.inside);
  }
}

function gatesOf(options: ConcurrencyOptions) {
  const { adaptive = false, adaptiveMin = 20, scopeMax = 0, queueMax = 100, queueMs = 10_000 } = options;
  const targetMax = options.targetMax === 0 ? Number.POSITIVE_INFINITY : (options.targetMax ?? 200);
  const targets = new Map<string, Gate>();
  const scopes = new Map<string, AdmissionQueue>();
  let host: Host | undefined;
  const queueOf = (name: string, maximum: () => number): AdmissionQueue => {
    if (host === undefined) throw new Error('concurrency was not started by a gateway.');
    return new AdmissionQueue({ clock: host.clock, maximum, queueMax, queueMs, name });
  };
  return {
    start: (given: Host): void => void (host = given),
    /** Without a limit of any kind there is nothing to keep for a target. */
    used: adaptive || options.shed === true || targetMax !== Number.POSITIVE_INFINITY,
    known: (id: string): Gate | undefined => targets.get(id),
    target(id: string): Gate {
      let gate = targets.get(id);
      if (gate === undefined) {
        forgetIdle(targets, ({ queue }) => queue);
        const initial = Math.min(adaptiveMin, targetMax);
        const limit = adaptive ? adaptiveLimit({ initial, least: initial, most: targetMax }) : undefined;
        const queue = queueOf(id, () => limit?.value ?? targetMax);
        gate = {
          queue,
          ...(limit !== undefined && { limit }),
          ...(options.shed === true && { shedder: loadShedder(host?.random ?? (() => 1)) }),
        };
        targets.set(id, gate);
      }
      return gate;
    },
    scope(value: string): AdmissionQueue {
      let queue = scopes.get(value);
      if (queue === undefined) {
        forgetIdle(scopes, (one) => one);
        scopes.set(value, (queue = queueOf(`concurrency.scopeMax of ${options.scope ?? 'tenant'}`, () => scopeMax)));
      }
      return queue;
    },
    explain(call: Call): string {
      const told = call.plan.candidates.map(({ id }) => {
        const gate = targets.get(id);
        const most = gate?.limit?.value ?? targetMax;
        return `${id} ${gate?.queue.inside ?? 0}${most === Number.POSITIVE_INFINITY ? '' : ` of ${most}`} in flight`;
      });
      return told.join(', ');
    },
  };
}

/** Makes room for one more by dropping one that nobody is in; those in use stay, so that no count is lost. */
function forgetIdle<T>(known: Map<string, T>, queueOf: (entry: T) => AdmissionQueue): void {
  if (known.size < LIMITS.healthTargetsMax) return;
  for (const [key, entry] of known) {
    const { inside, waiting } = queueOf(entry);
    if (inside + waiting > 0) continue;
    known.delete(key);
    return;
  }
}

/** Whether another candidate of this call is still open and was not found full. Notes that this one was. */
function hasOther(call: Call, id: string): boolean {
  const spilled = new Set([...call.context.get(spilledKey), id]);
  call.context.set(spilledKey, spilled);
  return call.plan.candidates.some(
    (candidate) =>
      !spilled.has(candidate.id) && !call.context.attempts.some((attempt) => attempt.targetId === candidate.id),
  );
}

/** The target said that it is too much. */
function isDrop({ status, error }: AttemptOutcome): boolean {
  return status === 'failed' && (error?.code === 'overloaded' || error?.code === 'rate-limited');
}
