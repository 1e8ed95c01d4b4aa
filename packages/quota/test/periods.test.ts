import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPeriod, type Anchor, type CheckedPeriod } from '../src/periods/period.ts';
import { Windows } from '../src/periods/windows.ts';

const HOUR_MS = 3_600_000;

function period(given: unknown): CheckedPeriod {
  const checked = checkPeriod(given);
  if ('fault' in checked) throw new Error(checked.fault);
  return checked;
}

function windowAt(given: unknown, zone: string, at: string, anchor?: Anchor): readonly [string, string, number] {
  const checked = period(given);
  const { startMs, endMs } = new Windows().at(checked, anchor ?? (checked.anchor as Anchor), zone, Date.parse(at));
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString(), (endMs - startMs) / HOUR_MS];
}

describe('a day', () => {
  it.each([
    ['of 24 hours', 'Europe/Berlin', '2026-06-10T12:00Z', '2026-06-09T22:00:00.000Z', '2026-06-10T22:00:00.000Z', 24],
    ['of 23 hours', 'Europe/Berlin', '2026-03-29T12:00Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z', 23],
    ['of 25 hours', 'Europe/Berlin', '2026-10-25T12:00Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 25],
    [
      'whose midnight is left out',
      'Africa/Cairo',
      '2026-04-24T09:00Z',
      '2026-04-23T22:00:00.000Z',
      '2026-04-24T21:00:00.000Z',
      23,
    ],
    [
      'whose midnight comes twice',
      'America/Havana',
      '2026-11-01T12:00Z',
      '2026-11-01T04:00:00.000Z',
      '2026-11-02T05:00:00.000Z',
      25,
    ],
    [
      'whose midnight lies within what is left out',
      'America/Toronto',
      '1919-03-31T12:00Z',
      '1919-03-31T04:30:00.000Z',
      '1919-04-01T04:00:00.000Z',
      23.5,
    ],
    [
      'of 23.5 hours',
      'Australia/Lord_Howe',
      '2026-10-04T03:00Z',
      '2026-10-03T13:30:00.000Z',
      '2026-10-04T13:00:00.000Z',
      23.5,
    ],
    [
      'before one that was left out',
      'Pacific/Apia',
      '2011-12-30T09:59Z',
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      24,
    ],
    [
      'after one that was left out',
      'Pacific/Apia',
      '2011-12-30T10:00Z',
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
      24,
    ],
  ])('%s in %s', (_, zone, at, start, end, hours) => {
    expect(windowAt('day', zone, at)).toEqual([start, end, hours]);
  });

  it.each([
    'Europe/Berlin',
    'America/Havana',
    'Africa/Cairo',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Pacific/Apia',
  ])('in %s holds exactly the instants of one date', (zone) => {
    const windows = new Windows();
    const day = period('day');
    const date = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
    const span = { min: Date.UTC(2005, 0, 1), max: Date.UTC(2035, 0, 1) };
    fc.assert(
      fc.property(fc.integer(span), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (at, part) => {
        const { startMs, endMs } = windows.at(day, '2001-01-01', zone, at);
        expect(startMs).toBeLessThanOrEqual(at);
        expect(endMs).toBeGreaterThan(at);
        const within = startMs + Math.floor(part * (endMs - startMs));
        expect(date.format(within)).toBe(date.format(at));
        expect(date.format(startMs - 1) < date.format(at)).toBe(true);
        expect(date.format(endMs) > date.format(at)).toBe(true);
        expect(new Windows().at(day, '2001-01-01', zone, endMs).startMs).toBe(endMs);
      }),
    );
  });
});

describe('other periods', () => {
  it('a month in a zone', () => {
    expect(windowAt('month', 'America/New_York', '2026-03-15T00:00Z')).toEqual([
      '2026-03-01T05:00:00.000Z',
      '2026-04-01T04:00:00.000Z',
      31 * 24 - 1,
    ]);
  });

  it('months that are anchored on day 31 end on the last day of short months and come back to 31', () => {
    const billing = { name: 'billing', every: 'month', anchor: '2026-01-31' };
    const starts = Array.from({ length: 14 }, (_, i) =>
      windowAt(billing, 'UTC', new Date(Date.UTC(2027, i, 15)).toISOString())[1].slice(0, 10),
    );
    expect(starts.slice(0, 12)).toEqual([
      ...['2027-01-31', '2027-02-28', '2027-03-31', '2027-04-30', '2027-05-31', '2027-06-30'],
      ...['2027-07-31', '2027-08-31', '2027-09-30', '2027-10-31', '2027-11-30', '2027-12-31'],
    ]);
    expect(starts.slice(12)).toEqual(['2028-01-31', '2028-02-29']);
  });

  it('months before their anchor', () => {
    const billing = { name: 'billing', every: 'month', anchor: '2026-05-31T08:30' };
    expect(windowAt(billing, 'UTC', '2026-02-28T08:29Z')[0]).toBe('2026-01-31T08:30:00.000Z');
    expect(windowAt(billing, 'UTC', '2026-02-28T08:30Z')[0]).toBe('2026-02-28T08:30:00.000Z');
  });

  it('a year from 29 February', () => {
    const fiscal = { name: 'fiscal', every: 'year', anchor: '2024-02-29' };
    expect(windowAt(fiscal, 'UTC', '2026-06-01T00:00Z').slice(0, 2)).toEqual([
      '2026-02-28T00:00:00.000Z',
      '2027-02-28T00:00:00.000Z',
    ]);
    expect(windowAt(fiscal, 'UTC', '2028-06-01T00:00Z')[0]).toBe('2028-02-29T00:00:00.000Z');
  });

  it('a week begins on Monday unless it has an anchor', () => {
    expect(windowAt('week', 'UTC', '2026-11-21T18:00Z')[0]).toBe('2026-11-16T00:00:00.000Z');
    const sunday = { name: 'sunday', every: 'week', anchor: '2026-11-01' };
    expect(windowAt(sunday, 'UTC', '2026-11-21T18:00Z')[0]).toBe('2026-11-15T00:00:00.000Z');
  });

  it('a duration counts hours, whatever the clocks do', () => {
    const sprint = { name: 'sprint', every: '14d', anchor: '2026-03-23' };
    expect(windowAt(sprint, 'Europe/Berlin', '2026-03-30T00:00Z')).toEqual([
      '2026-03-22T23:00:00.000Z',
      '2026-04-05T23:00:00.000Z',
      14 * 24,
    ]);
    const from = { name: 'from', every: '90m', anchor: new Date('2026-01-01T00:10:00Z') };
    expect(windowAt(from, 'UTC', '2025-12-31T23:00Z')[0]).toBe('2025-12-31T22:40:00.000Z');
  });

  it('an anchor that is an instant keeps its time of day', () => {
    const since = { name: 'since', every: 'month', anchor: new Date('2026-01-31T22:30:00Z') };
    expect(windowAt(since, 'Asia/Tokyo', '2026-03-01T12:00Z')[0]).toBe('2026-02-28T22:30:00.000Z');
  });
});

it('between lists the windows that have a part in a range', () => {
  const windows = new Windows();
  const range = { fromMs: Date.UTC(2026, 9, 24, 12), toMs: Date.UTC(2026, 9, 26, 23), most: 10 };
  const days = windows.between(period('day'), '2001-01-01', 'Europe/Berlin', range);
  expect(days.map(({ startMs, endMs }) => (endMs - startMs) / HOUR_MS)).toEqual([24, 25, 24]);
  expect(() => windows.between(period('day'), '2001-01-01', 'UTC', { ...range, most: 2 })).toThrow(
    expect.objectContaining({ code: 'ERR_QUOTA_RANGE' }),
  );
});

it.each([
  ['month ', /must be/],
  ['500ms', /a second or more/],
  ['1M', /must be/],
  [5, /must be/],
  [{ every: 'day' }, /needs a name/],
  [{ name: 'a:b', every: 'day' }, /needs a name/],
  [{ name: 'gauge', every: 'day' }, /gauge/],
  [{ name: 'b', every: 'month', anchor: '2026-02-30' }, /anchor/],
  [{ name: 'b', every: 'month', anchor: '31.1.2026' }, /anchor/],
  [{ name: 'b', every: 'month', anchor: new Date(Number.NaN) }, /anchor/],
  [{ name: 'b', every: 'month', start: '2026-01-31' }, /start is not an option/],
])('%o is no period', (given, message) => {
  expect(checkPeriod(given)).toEqual({ fault: expect.stringMatching(message) });
});

it.each(['Europe/Nowhere', '', 'Berlin', undefined, 5])('%o is no time zone', (zone) => {
  expect(() => new Windows().at(period('day'), '2001-01-01', zone as string, 0)).toThrow(
    expect.objectContaining({ code: 'ERR_QUOTA_PERIOD' }),
  );
});
