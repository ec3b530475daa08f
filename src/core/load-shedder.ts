import type { Priority } from './call.ts';
import { RollingWindow } from './rolling-window.ts';

/** Turns calls away by chance while a target accepts less than it is sent, the least important first. */
export interface LoadShedder {
  /** Counts a request, before it is made; says whether to turn it away. */
  sheds(priority: Priority, nowMs: number): boolean;
  accepted(nowMs: number): void;
}

/** How many requests each accepted one allows. Critical calls go on until next to nothing is accepted. */
const ALLOWED: Readonly<Record<Priority, number>> = { critical: 8, normal: 2, background: 1.25 };

/**
 * Client-side throttling of Google's SRE book, "Handling Overload" (read 2026-11): a request is shed with the chance
 * (requests - K x accepts) / (requests + 1). Over two minutes: longer than calls take.
 */
export function loadShedder(random: () => number, windowMs = 120_000): LoadShedder {
  const window = new RollingWindow(windowMs, ['requests', 'accepts']);
  return {
    sheds(priority, nowMs) {
      const { requests, accepts } = window.counts(nowMs);
      window.add('requests', nowMs);
      return random() < Math.max(0, (requests - ALLOWED[priority] * accepts - FREE) / (requests + 1));
    },
    accepted: (nowMs) => window.add('accepts', nowMs),
  };
}

/** Requests before shedding begins: calls still on their way are no refusals. */
const FREE = 20;
