import { unsharable } from '../core/answer-rules.ts';
import { callKey, type KeyRing, ownKey } from '../core/cache-key.ts';
import type { Call, Scope } from '../core/call.ts';
import { invalidRequest } from '../core/errors.ts';
import { Flight } from '../core/flight.ts';
import { defineMiddleware, type Middleware } from '../core/middleware.ts';
import { aList, checkOptions } from '../core/options.ts';
import type { OperationName } from '../operations/index.ts';
import { didYouMean } from '../operations/problem.ts';

export interface DedupeOptions {
  /** Scope fields that divide calls, beside the tenant, which always does. @defaultValue [] */
  readonly scope?: readonly (keyof Scope)[];
}

/** What one call may ask: `gateway.chat(request, { controls: { dedupe: { mode: 'off' } } })`. */
export interface DedupeControl {
  /** `off`: ask for itself, and share with nobody. @defaultValue 'use' */
  readonly mode?: 'use' | 'off';
  /** A key of your own, in place of the request: calls of one partition with the same key share one exchange. */
  readonly key?: string;
}

/** The middleware, with a handle on what is in flight. */
export type Dedupe = Middleware & {
  /** From now on nobody joins what is in flight; those who wait for it still get it. */
  clear(): void;
};

/**
 * Lets identical calls that are in flight at the same time share one exchange, streams included: late joiners get what
 * was sent so far and then live events. No caller's abort harms another; when the last one has left, upstream is
 * aborted.
 *
 * Place it inside `cache` and outside `retry`.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * createGateway({ providers, use: [meter(), cache(), dedupe(), retry(), route()] })
 */
export function dedupe(options: DedupeOptions = {}): Dedupe {
  checkOptions('dedupe', options, { scope: aList });
  const ring: KeyRing = { kind: 'dedupe', scope: options.scope ?? [] };
  // Bounded by the calls in flight.
  const flights = new Map<string, Flight<OperationName>>();
  const layer = defineMiddleware(
    {
      name: 'dedupe',
      control: checkControl,
      explain: () => ({ summary: `joins an identical call in flight; there are ${flights.size}` }),
    },
    async function dedupe(call, next) {
      const key = keyOf(ring, call);
      if (key === undefined) return next(call);
      // A stream can also be read to its end at once; a plain answer would make who wants a stream wait.
      const found = joinable(flights, `${key}stream`) ?? (call.stream ? undefined : joinable(flights, `${key}plain`));
      // The key holds the operation, so a flight found under it is of this call's.
      if (found !== undefined) return (found as unknown as Flight<typeof call.operation>).join(call);
      const place = `${key}${call.stream ? 'stream' : 'plain'}`;
      const flight = new Flight(call, next, () => {
        if (flights.get(place) === (flight as unknown)) flights.delete(place);
      });
      flights.set(place, flight as unknown as Flight<OperationName>);
      return flight.join(call);
    },
  );
  const clear = (): void => {
    for (const flight of [...flights.values()]) flight.close();
  };
  return Object.assign(layer, { clear });
}

function joinable(flights: ReadonlyMap<string, Flight<OperationName>>, key: string): Flight<OperationName> | undefined {
  const flight = flights.get(key);
  return flight?.open === true ? flight : undefined;
}

function keyOf(ring: KeyRing, call: Call): string | undefined {
  const { mode, key } = (call.controls?.['dedupe'] ?? {}) as DedupeControl;
  if (mode === 'off' || unsharable(call) !== undefined) return undefined;
  if (key !== undefined) return ownKey(ring, call, key);
  try {
    return callKey(ring, call);
  } catch {
    // What has no canonical JSON is like nothing else.
    return undefined;
  }
}

function checkControl(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidRequest('controls.dedupe', 'expected an object like { mode: "off" }.');
  }
  for (const name of Object.keys(value)) {
    if (name !== 'mode' && name !== 'key') {
      throw invalidRequest(`controls.dedupe.${name}`, `is unknown.${didYouMean(name, ['mode', 'key'])}`);
    }
  }
  const { mode, key } = value as { [F in keyof DedupeControl]: unknown };
  if (mode !== undefined && mode !== 'use' && mode !== 'off') {
    throw invalidRequest('controls.dedupe.mode', 'expected use or off.');
  }
  if (key !== undefined && (typeof key !== 'string' || key === '')) {
    throw invalidRequest('controls.dedupe.key', 'expected a text.');
  }
}
