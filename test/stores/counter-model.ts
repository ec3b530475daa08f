import fc from 'fast-check';
import type { CounterStore, Limit } from '../../src/core/counter-store.ts';
import { rateShape } from '../../src/core/rate-arithmetic.ts';

/** The limits of the model: small numbers, so that commands collide. */
const SHAPES = [
  { kind: 'total', key: 'total', unit: 'cost', maximum: 60 },
  { kind: 'window', key: 'window', unit: 'cost', window: 'w', endsAt: 2_000_000_000_000, maximum: 40 },
  { kind: 'concurrency', key: 'places', unit: 'places', maximum: 3 },
  { kind: 'rate', key: 'tokens', unit: 'tokens', maximum: 7, periodMs: 100, burst: 20 },
  { kind: 'rate', key: 'slow', unit: 'tokens', maximum: 3, periodMs: 1_000 },
  { kind: 'rate', key: 'fast', unit: 'tokens', maximum: 2_500, periodMs: 10, burst: 2_500 },
] as const;

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];

export type Command =
  | {
      type: 'reserve';
      id: string;
      picks: { shape: number; amount: number; onReserve: boolean }[];
      ttlMs: number;
      charge: boolean;
    }
  | { type: 'settle'; id: string; cost: number; tokens: number }
  | { type: 'release'; id: string }
  | { type: 'lease'; id: string; ttlMs: number }
  | { type: 'wait'; ms: number };

const id = fc.constantFrom(...IDS);
const pick = fc.record({
  shape: fc.nat({ max: SHAPES.length - 1 }),
  amount: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 25 })),
  onReserve: fc.boolean(),
});

export const commands = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('reserve' as const),
        id,
        picks: fc.uniqueArray(pick, { minLength: 1, maxLength: 4, selector: (one) => one.shape }),
        ttlMs: fc.integer({ min: 1, max: 300 }),
        charge: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('settle' as const),
        id,
        cost: fc.nat({ max: 30 }),
        tokens: fc.nat({ max: 30 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('release' as const), id }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('lease' as const), id, ttlMs: fc.integer({ min: 1, max: 300 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('wait' as const),
        ms: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 250 })),
      }),
    },
  ),
  { maxLength: 40 },
);

const limitsOf = (command: Extract<Command, { type: 'reserve' }>): Limit[] =>
  command.picks.map((one) => ({
    ...(SHAPES[one.shape] as (typeof SHAPES)[number]),
    amount: one.amount,
    charged: one.onReserve ? 'on-reserve' : 'on-settle',
  }));

interface Held {
  shape: number;
  amount: number;
  expiresAt: number;
  charge: boolean;
  onReserve: boolean;
  state: 'held' | 'spent' | 'expired';
}

/** A rate counts in exact fractions of a token, as bigint over the period; everything else in plain integers. */
interface Bucket {
  level: bigint;
  at: number;
  held: Held[];
}

/** The slow, sequential reference: exact fractions, no shortcuts. */
export function referenceCounters(now: () => number) {
  const buckets = SHAPES.map((): Bucket => ({ level: 0n, at: now(), held: [] }));
  const open = new Map<string, { held: Held[]; reservedAt: number }>();
  const settled = new Set<string>();
  const shapeOf = (index: number) => {
    const shape = SHAPES[index] as (typeof SHAPES)[number];
    const rate = shape.kind === 'rate' ? rateShape(shape.maximum, shape.periodMs) : undefined;
    const maximum = shape.kind === 'rate' && 'burst' in shape ? shape.burst : shape.maximum;
    return { rate, maximum, scale: BigInt(rate?.periodUnits ?? 1), concurrency: shape.kind === 'concurrency' };
  };
  const settle = (): void => {
    buckets.forEach((bucket, index) => {
      const { rate } = shapeOf(index);
      if (rate !== undefined) {
        bucket.level -= BigInt(now() - bucket.at) * BigInt(rate.maximum);
        if (bucket.level < 0n) bucket.level = 0n;
      }
      bucket.at = now();
      for (const held of bucket.held.filter((one) => one.expiresAt <= now())) {
        bucket.held.splice(bucket.held.indexOf(held), 1);
        held.state = 'expired';
        if (held.charge) spend(index, held.amount);
      }
    });
  };
  const spend = (index: number, amount: number): void => {
    const { scale, concurrency } = shapeOf(index);
    if (!concurrency) (buckets[index] as Bucket).level += BigInt(amount) * scale;
  };
  const refund = (index: number, amount: number, since: number): void => {
    const { rate, scale, concurrency } = shapeOf(index);
    if (concurrency) return;
    const bucket = buckets[index] as Bucket;
    const drained = rate === undefined ? 0n : BigInt(now() - since) * BigInt(rate.maximum);
    const back = BigInt(amount) * scale - drained;
    if (back > 0n) bucket.level -= back;
    if (rate !== undefined && bucket.level < 0n) bucket.level = 0n;
  };
  const end = (held: Held): boolean => {
    const list = (buckets[held.shape] as Bucket).held;
    const index = list.indexOf(held);
    if (index >= 0) list.splice(index, 1);
    return index >= 0;
  };
  const view = () => {
    settle();
    return buckets.map((bucket, index) => {
      const { scale } = shapeOf(index);
      return {
        // A token is free when the whole of it has drained.
        used: Number((bucket.level + scale - 1n) / scale),
        held: bucket.held.reduce((sum, held) => sum + held.amount, 0),
      };
    });
  };
  return {
    view,
    run(command: Exclude<Command, { type: 'wait' }>): string {
      const states = view();
      if (command.type === 'reserve') {
        if (settled.has(command.id) || open.has(command.id)) return 'admitted';
        const fits = command.picks.every((one) => {
          const state = states[one.shape] as { used: number; held: number };
          return state.used + state.held + one.amount <= shapeOf(one.shape).maximum;
        });
        if (!fits) return 'denied';
        const held = command.picks.map((one): Held => {
          const onReserve = one.onReserve && !shapeOf(one.shape).concurrency;
          const entry: Held = {
            shape: one.shape,
            amount: one.amount,
            expiresAt: now() + command.ttlMs,
            charge: command.charge,
            onReserve,
            state: onReserve ? 'spent' : 'held',
          };
          if (onReserve) spend(one.shape, one.amount);
          else (buckets[one.shape] as Bucket).held.push(entry);
          return entry;
        });
        open.set(command.id, { held, reservedAt: now() });
        return 'admitted';
      }
      const reservation = open.get(command.id);
      if (command.type === 'lease') {
        if (reservation === undefined || reservation.held.some((held) => held.state === 'expired')) return 'false';
        for (const held of reservation.held) held.expiresAt = now() + command.ttlMs;
        return 'true';
      }
      if (settled.has(command.id)) return 'repeated';
      if (reservation === undefined) return 'unknown';
      open.delete(command.id);
      if (command.type === 'settle') settled.add(command.id);
      for (const held of reservation.held) {
        const unit = (SHAPES[held.shape] as (typeof SHAPES)[number]).unit;
        const amount =
          command.type === 'release'
            ? 0
            : unit === 'cost'
              ? command.cost
              : unit === 'tokens'
                ? command.tokens
                : held.amount;
        if (held.onReserve) {
          if (command.type === 'release') refund(held.shape, held.amount, reservation.reservedAt);
        } else if (end(held) || !held.charge) spend(held.shape, amount);
        else if (amount >= held.amount) spend(held.shape, amount - held.amount);
        else refund(held.shape, held.amount - amount, held.expiresAt);
      }
      return command.type === 'settle' ? 'settled' : 'released';
    },
  };
}

/** Runs the commands against store and reference; throws at the first difference. */
export async function compareWithReference(
  store: CounterStore,
  clock: { now(): number; advance(ms: number): void },
  list: readonly Command[],
): Promise<void> {
  const reference = referenceCounters(() => clock.now());
  for (const [index, command] of list.entries()) {
    if (command.type === 'wait') clock.advance(command.ms);
    else {
      const expected = reference.run(command);
      const actual = await outcome(store, command);
      if (expected !== actual) throw new Error(`step ${index} ${JSON.stringify(command)}: ${actual}, not ${expected}`);
    }
    const states = (await store.remaining(SHAPES)).map(({ used, held }) => ({ used, held }));
    const expected = reference.view();
    if (JSON.stringify(states) !== JSON.stringify(expected)) {
      throw new Error(
        `step ${index} ${JSON.stringify(command)}: ${JSON.stringify(states)}, not ${JSON.stringify(expected)}`,
      );
    }
  }
}

async function outcome(store: CounterStore, command: Exclude<Command, { type: 'wait' }>): Promise<string> {
  switch (command.type) {
    case 'reserve': {
      const request = { id: command.id, limits: limitsOf(command), ttlMs: command.ttlMs };
      const reply = await store.reserve({ ...request, onExpire: command.charge ? 'charge' : 'release' });
      return reply.admitted ? 'admitted' : 'denied';
    }
    case 'settle':
      return (await store.settle(command.id, { cost: command.cost, tokens: command.tokens })).status;
    case 'release':
      return (await store.release(command.id)).status;
    case 'lease':
      return String(await store.lease(command.id, command.ttlMs));
  }
}
