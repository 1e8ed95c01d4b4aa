import { describe, expect, test } from 'vitest';
import { renderTable, summarise, toRow } from '../src/report.ts';
import type { ScenarioResult } from '../src/run-scenario.ts';
import type { Subject } from '../src/subject.ts';

const subject = (name: string, role: Subject['role']): Subject => ({
  name,
  role,
  open: async () => ({ absent: 'only its name is used' }),
});

function result(...entries: readonly (readonly [Subject, readonly number[]])[]): ScenarioResult {
  const subjects = entries.map(([each]) => each);
  return {
    scenario: { name: 'l1-hit-get-1kb', goal: 1.5 },
    subjects,
    timings: entries.map(([{ name }, nsPerOperation]) => ({ name, nsPerOperation })),
    commandsPerRead: new Map(),
    absent: [{ name: 'other', reason: 'it has no memory' }],
  };
}

const limit = subject('limit: lru', 'limit');
const ours = subject('tierkit global', 'ours');
const fast = subject('fast peer', 'peer');
const slow = subject('slow peer', 'peer');
const measured = result(
  [limit, [100, 300, 100]],
  [ours, [150, 450, 160]],
  [slow, [900, 2700, 900]],
  [fast, [300, 900, 300]],
);

describe('rows', () => {
  test('have exactly the documented fields', () => {
    for (const row of summarise(measured).map(toRow)) {
      expect(Object.keys(row)).toEqual(['scenario', 'subject', 'opsPerSecond', 'ratioToLimit', 'ratioToBestPeer']);
      expect(JSON.parse(JSON.stringify(row))).toEqual(row);
    }
  });

  test('compare with the limit within each round, so that a slow round does not count', () => {
    const rows = summarise(measured);
    expect(rows.map((row) => [row.subject, row.ratioToLimit])).toEqual([
      ['limit: lru', 1],
      ['tierkit global', 1.5],
      ['slow peer', 9],
      ['fast peer', 3],
    ]);
    expect(rows[1]?.opsPerSecond).toBe(6_250_000);
  });

  test('compare throughput with the fastest peer', () => {
    expect(summarise(measured).map((row) => row.ratioToBestPeer)).toEqual([3, 2, 0.333, 1]);
  });

  test('have no ratio to the best peer where there is no peer', () => {
    const [, row] = summarise(result([limit, [100]], [ours, [120]]));
    expect(row?.ratioToBestPeer).toBeNull();
  });

  test('are refused without a limit', () => {
    expect(() => summarise(result([ours, [120]]))).toThrow('has no limit');
  });
});

test('the table lists the fastest first, then who is absent and why', () => {
  const lines = renderTable(measured, summarise(measured)).split('\n');
  expect(lines[0]).toContain('l1-hit-get-1kb');
  expect(lines[0]).toContain('1.5');
  expect(lines.slice(2, 6).map((line) => line.slice(0, 14).trimEnd())).toEqual([
    'limit: lru',
    'tierkit global',
    'fast peer',
    'slow peer',
  ]);
  expect(lines[6]).toBe('absent: other: it has no memory');
});

test('what a scenario counts besides is in its rows and columns, and nowhere else', () => {
  const counted: ScenarioResult = {
    ...measured,
    extras: new Map([[ours.name, { loads: 1 }]]),
    units: ['bytes', 'entries/GB'],
  };
  const rows = summarise(counted).map(toRow);
  expect(rows.map(({ loads }) => loads)).toEqual([undefined, 1, undefined, undefined]);
  expect(Object.keys(rows[0] ?? {})).not.toContain('loads');
  const [, head, , line] = renderTable(counted, summarise(counted)).split('\n');
  expect(head?.split(/ {2,}/)).toEqual([
    'subject',
    'bytes',
    'entries/GB',
    'x limit',
    '95 % interval',
    'x best peer',
    'loads',
  ]);
  expect(line?.split(/ {2,}/).at(-1)).toBe('1');
});
