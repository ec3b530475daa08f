import type { Strategy } from '../node.ts';
import { canary } from './canary.ts';
import { cheapest } from './cheapest.ts';
import { custom } from './custom.ts';
import { latency } from './latency.ts';
import { leastBusy } from './least-busy.ts';
import { ordered } from './ordered.ts';
import { roundRobin } from './round-robin.ts';
import { rules } from './rules.ts';
import { spillOver } from './spill-over.ts';
import { sticky } from './sticky.ts';
import { throughput } from './throughput.ts';
import { weighted } from './weighted.ts';

/** Every strategy a configuration can name. */
export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(
  [
    ordered,
    weighted,
    roundRobin,
    leastBusy,
    latency,
    cheapest,
    throughput,
    sticky,
    spillOver,
    rules,
    canary,
    custom,
  ].map((strategy) => [strategy.name, strategy]),
);
