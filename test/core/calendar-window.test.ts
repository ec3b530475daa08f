import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Calendar, calendarWindows } from '../../src/core/calendar-window.ts';
import { size } from '../size.ts';

const at = (text: string): number => Date.parse(text);
const window = (calendar: Calendar, now: string): [string, string] => {
  const { startsAt, endsAt } = calendarWindows(calendar, 'limit')(at(now));
  return [new Date(startsAt).toISOString(), new Date(endsAt).toISOString()];
};

describe('calendarWindows', () => {
  it.each([
    [{ every: 'hour' }, '2026-03-29T00:59:59.999Z', '2026-03-29T00:00:00.000Z', '2026-03-29T01:00:00.000Z'],
    [
      { every: 'hour', timeZone: 'Asia/Kolkata' },
      '2026-03-01T00:10:00Z',
      '2026-02-28T23:30:00.000Z',
      '2026-03-01T00:30:00.000Z',
    ],
    [{ every: 'day' }, '2026-02-28T12:00:00Z', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    [
      { every: 'day', timeZone: 'Europe/Berlin' },
      '2026-03-29T12:00:00Z',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ],
    [
      { every: 'day', timeZone: 'Europe/Berlin' },
      '2026-10-25T12:00:00Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ],
    [{ every: 'week' }, '2026-11-22T12:00:00Z', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    [{ every: 'week', startsOn: 7 }, '2026-11-22T12:00:00Z', '2026-11-22T00:00:00.000Z', '2026-11-29T00:00:00.000Z'],
    [
      { every: 'month', timeZone: 'America/New_York' },
      '2026-12-01T03:00:00Z',
      '2026-11-01T04:00:00.000Z',
      '2026-12-01T05:00:00.000Z',
    ],
    [{ every: 'month', startsOn: 15 }, '2026-03-14T23:59:59Z', '2026-02-15T00:00:00.000Z', '2026-03-15T00:00:00.000Z'],
    [{ every: 'quarter' }, '2026-11-22T00:00:00Z', '2026-10-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    [
      { every: 'quarter', startsOn: '02-01' },
      '2026-01-31T00:00:00Z',
      '2025-11-01T00:00:00.000Z',
      '2026-02-01T00:00:00.000Z',
    ],
    [
      { every: 'year', startsOn: '04-06', timeZone: 'Europe/London' },
      '2026-04-05T22:59:59Z',
      '2025-04-05T23:00:00.000Z',
      '2026-04-05T23:00:00.000Z',
    ],
  ] as const)('%j at %s', (calendar, now, start, end) => {
    expect(window(calendar, now)).toEqual([start, end]);
  });

  it('begins a day whose midnight the clocks jump over at its first moment', () => {
    // Cairo, 2023-04-28: 00:00 became 01:00.
    expect(window({ every: 'day', timeZone: 'Africa/Cairo' }, '2023-04-28T12:00:00Z')).toEqual([
      '2023-04-27T22:00:00.000Z',
      '2023-04-28T21:00:00.000Z',
    ]);
    // Santiago, 2024-04-07: 24:00 became 23:00 of the day before, so that day has 25 hours.
    expect(window({ every: 'day', timeZone: 'America/Santiago' }, '2024-04-07T01:00:00Z')).toEqual([
      '2024-04-06T03:00:00.000Z',
      '2024-04-07T04:00:00.000Z',
    ]);
  });

  it('leaves no moment out and none in two windows, in any zone', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/Sao_Paulo',
      'Africa/Cairo',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Australia/Lord_Howe',
    ];
    const units = ['day', 'week', 'month', 'quarter', 'year'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...units),
        fc.integer({ min: at('2009-01-01'), max: at('2031-01-01') }),
        (timeZone, every, now) => {
          const windowAt = calendarWindows({ every, timeZone }, 'limit');
          const { startsAt, endsAt, window: id } = windowAt(now);
          expect(startsAt).toBeLessThanOrEqual(now);
          expect(endsAt).toBeGreaterThan(now);
          const fresh = calendarWindows({ every, timeZone }, 'limit');
          expect(fresh(endsAt - 1)).toEqual({ startsAt, endsAt, window: id });
          expect(fresh(endsAt).startsAt).toBe(endsAt);
          expect(fresh(startsAt - 1).endsAt).toBe(startsAt);
        },
      ),
      { seed: 10, numRuns: size(200, 5_000) },
    );
  });

  it.each([
    [{ every: 'fortnight' }, 'limit.every'],
    [{ every: 'day', timeZone: 'Mars/Olympus' }, 'limit.timeZone'],
    [{ every: 'day', startsOn: 1 }, 'limit.startsOn'],
    [{ every: 'week', startsOn: 8 }, 'limit.startsOn'],
    [{ every: 'month', startsOn: 31 }, 'limit.startsOn'],
    [{ every: 'year', startsOn: '13-01' }, 'limit.startsOn'],
  ])('refuses %j', (calendar, field) => {
    expect(() => calendarWindows(calendar as Calendar, 'limit')).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });
});
