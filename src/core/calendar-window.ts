import { invalidOptions } from './errors.ts';

/** A stretch of the calendar. `hour` follows the zone's own hours, `quarter` and `year` the fiscal start. */
export type CalendarUnit = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';

export interface Calendar {
  readonly every: CalendarUnit;
  /** IANA time zone, like `Europe/Berlin`. @defaultValue 'UTC' */
  readonly timeZone?: string;
  /**
   * Where it begins: `week` takes a day from 1 (Monday) to 7, `month` a day from 1 to 28, `quarter` and `year` the
   * fiscal start as `MM-DD`. @defaultValue Monday, the first, `01-01`
   */
  readonly startsOn?: number | string;
}

export interface CalendarWindow {
  /** Identity of the window: the instant it begins, in UTC, like `2026-11-01T00:00`. The same in every process. */
  readonly window: string;
  /** Wall time of its first and of its first later millisecond. */
  readonly startsAt: number;
  readonly endsAt: number;
}

export const CALENDAR_UNITS: readonly CalendarUnit[] = ['hour', 'day', 'week', 'month', 'quarter', 'year'];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONTHS: Readonly<Partial<Record<CalendarUnit, number>>> = { month: 1, quarter: 3, year: 12 };

/** Checks a calendar and gives the function that says which window a wall time lies in. Safe over clock changes. */
export function calendarWindows(calendar: Calendar, field: string): (now: number) => CalendarWindow {
  const { every, timeZone = 'UTC' } = calendar;
  if (!CALENDAR_UNITS.includes(every)) throw invalidOptions(`${field}.every`, `expected ${CALENDAR_UNITS.join(', ')}.`);
  const offsetAt = zoneOffsets(timeZone, field);
  const [month, day] = startOf(calendar, field);
  let current: CalendarWindow | undefined;
  return (now) => {
    if (current !== undefined && now >= current.startsAt && now < current.endsAt) return current;
    const [startsAt, endsAt] = every === 'hour' ? hourAt(now, offsetAt) : datesAt(now, every, month, day, offsetAt);
    current = { window: new Date(startsAt).toISOString().slice(0, 16), startsAt, endsAt };
    return current;
  };
}

/** Month (0 to 11) and day (of the week or of the month) on which windows begin. */
function startOf({ every, startsOn }: Calendar, field: string): readonly [month: number, day: number] {
  if (startsOn === undefined) return [0, 1];
  const path = `${field}.startsOn`;
  if (every === 'week' || every === 'month') {
    const most = every === 'week' ? 7 : 28;
    if (typeof startsOn === 'number' && Number.isInteger(startsOn) && startsOn >= 1 && startsOn <= most)
      return [0, startsOn];
    throw invalidOptions(path, `expected a day from 1 to ${most}.`);
  }
  const match = typeof startsOn === 'string' ? /^(\d\d)-(\d\d)$/.exec(startsOn) : null;
  const month = Number(match?.[1]);
  const day = Number(match?.[2]);
  const isFiscal = every === 'quarter' || every === 'year';
  if (isFiscal && month >= 1 && month <= 12 && day >= 1 && day <= 28) return [month - 1, day];
  throw invalidOptions(path, isFiscal ? 'expected MM-DD, the day from 01 to 28.' : `says nothing about a ${every}.`);
}

type OffsetAt = (instant: number) => number;

/** Milliseconds to add to UTC for the clock on the wall. */
function zoneOffsets(timeZone: string, field: string): OffsetAt {
  if (timeZone === 'UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw invalidOptions(`${field}.timeZone`, 'expected an IANA time zone, like "Europe/Berlin".');
  }
  return (instant) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  };
}

function hourAt(now: number, offsetAt: OffsetAt): readonly [number, number] {
  const wall = now + offsetAt(now);
  const startsAt = now - (((wall % HOUR_MS) + HOUR_MS) % HOUR_MS);
  return [startsAt, startsAt + HOUR_MS];
}

/** Windows that begin with a date: found on the wall's calendar, then turned into instants. */
function datesAt(
  now: number,
  every: CalendarUnit,
  month: number,
  day: number,
  offsetAt: OffsetAt,
): readonly [number, number] {
  const today = new Date(now + offsetAt(now));
  const year = today.getUTCFullYear();
  const begins = (step: number): number => {
    if (every === 'day') return Date.UTC(year, today.getUTCMonth(), today.getUTCDate() + step);
    if (every === 'week') {
      const since = (today.getUTCDay() + 7 - (day % 7)) % 7;
      return Date.UTC(year, today.getUTCMonth(), today.getUTCDate() - since + 7 * step);
    }
    const length = MONTHS[every] ?? 1;
    const passed = year * 12 + today.getUTCMonth() - month - (today.getUTCDate() < day ? 1 : 0);
    const first = passed - (((passed % length) + length) % length) + month;
    return Date.UTC(Math.floor(first / 12), (((first % 12) + 12) % 12) + length * step, day);
  };
  return [firstInstant(begins(0), offsetAt), firstInstant(begins(1), offsetAt)];
}

/** The first instant at which the wall shows this time or, where the clocks jump over it, a later one. */
function firstInstant(wall: number, offsetAt: OffsetAt): number {
  const candidates = [wall - offsetAt(wall - DAY_MS), wall - offsetAt(wall + DAY_MS)].sort((a, b) => a - b);
  for (const instant of candidates) if (instant + offsetAt(instant) === wall) return instant;
  // The jump lies between the two: the first moment after it.
  let [before, after] = candidates as [number, number];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle + offsetAt(middle) >= wall) after = middle;
    else before = middle;
  }
  return after;
}
