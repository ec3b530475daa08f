import type { Priority } from './call.ts';
import { percentileSketch } from './percentile-sketch.ts';
import { RollingWindow } from './rolling-window.ts';

/** Turns calls away by chance while a target accepts less than it is sent, the least important first. */
export interface LoadShedder {
  /** Whether to turn a request away. One that is turned away counts as made. */
  sheds(priority: Priority, nowMs: number): boolean;
  /** Counts a request, before it is made. One of the next three follows for each. */
  sent(nowMs: number): void;
  accepted(nowMs: number): void;
  refused(): void;
  /** Somebody of our own house kept it back after all. */
  withdrawn(nowMs: number): void;
  /** How long a call took that was not refused. */
  took(ms: number): void;
  /** Over how long requests are compared with accepts, in milliseconds. */
  readonly windowMs: number;
}

/** How many requests each accepted one allows. Critical calls go on until next to nothing is accepted. */
const ALLOWED: Readonly<Record<Priority, number>> = { critical: 8, normal: 2, background: 1.25 };
/** Requests before shedding begins. */
const FREE = 20;
const WINDOW_MS_MIN = 120_000;
const WINDOW_MS_MAX = 1_800_000;
/** Percentiles are right within 5 %; the window must not be too short. */
const ERROR_MAX = 1.05;

/**
 * Client-side throttling of Google's SRE book, "Handling Overload" (read 2026-11): a request is shed with the chance
 * (requests - K x accepts) / (requests + 1). A window shorter than calls take would see requests whose answers cannot
 * be there yet, so it is twice as long as 99 in 100 calls take; and a call on its way for less than that is no refusal.
 */
export function loadShedder(random: () => number): LoadShedder {
  const counts = new RollingWindow(WINDOW_MS_MIN, ['requests', 'accepts'], WINDOW_MS_MAX);
  const durations = percentileSketch();
  const longMs = (): number => (durations.count === 0 ? WINDOW_MS_MAX : durations.at(0.99) * ERROR_MAX);
  const windowMs = (): number =>
    durations.count === 0 ? WINDOW_MS_MIN : Math.min(WINDOW_MS_MAX, Math.max(WINDOW_MS_MIN, 2 * longMs()));
  let waiting = 0;
  return {
    sheds(priority, nowMs) {
      const { requests, accepts } = counts.counts(nowMs, windowMs());
      const surplus = requests - ALLOWED[priority] * accepts - FREE;
      // Nearly always; the rest need not be known.
      if (surplus <= 0) return false;
      const young = Math.min(waiting, counts.counts(nowMs, longMs()).requests);
      const turnsAway = random() < (surplus - Math.max(0, young - FREE)) / (requests + 1);
      if (turnsAway) counts.add('requests', nowMs);
      return turnsAway;
    },
    sent(nowMs) {
      waiting++;
      counts.add('requests', nowMs);
    },
    accepted(nowMs) {
      waiting--;
      counts.add('accepts', nowMs);
    },
    refused: () => void waiting--,
    withdrawn(nowMs) {
      waiting--;
      counts.add('requests', nowMs, -1);
    },
    took: (ms) => durations.add(ms),
    get windowMs() {
      return windowMs();
    },
  };
}
