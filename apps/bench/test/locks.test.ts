import { afterEach, expect, inject, test, vi } from 'vitest';
import { summariseHolds } from '../src/hand-offs.ts';
import { summarise } from '../src/report.ts';
import { runContended, runUncontended } from '../src/run-locks.ts';
import { contendedSubjects, uncontendedSubjects } from '../src/subjects/lock-subjects.ts';

const port = Number(new URL(inject('redisUrl')).port);

afterEach(() => vi.restoreAllMocks());

test('counts hand-offs to others, and how they were spread', () => {
  const hold = (waiter: string, fromMs: number) => ({ waiter, askedMs: fromMs - 2, fromMs, untilMs: fromMs + 1 });
  const fair = summariseHolds(['a', 'b', 'a', 'b'].map((waiter, i) => hold(waiter, i)));
  expect(fair).toEqual({ count: 4, selfRegrants: 0, fairness: 1, longestWaitToMedian: 1, overlaps: 0 });
  const greedy = summariseHolds(['a', 'a', 'a', 'b'].map((waiter, i) => hold(waiter, i)));
  expect(greedy).toMatchObject({ count: 2, selfRegrants: 0.5, fairness: 16 / 20 });
  expect(summariseHolds([hold('a', 0), hold('b', 0.5)]).overlaps).toBe(1);
});

test('takes and gives back free locks of every subject', async () => {
  const scenario = { name: 'free', concurrency: 4, goal: 1.1, subjects: uncontendedSubjects };
  const result = await runUncontended(scenario, port, { rounds: 5, sliceMs: 5, warmUpMs: 5, maxMs: 1_000 });
  expect(summarise(result)).toHaveLength(uncontendedSubjects.length);
});

test('hands a contended lock on among processes, and drains a herd', async () => {
  vi.spyOn(process, 'execArgv', 'get').mockReturnValue(['--conditions=@tierkit/source', '--import', 'tsx']);
  const subjects = contendedSubjects.filter(({ role }) => role === 'ours');
  const common = { processes: 2, waiters: 6, subjects };
  const contended = await runContended({ ...common, name: 'contended', forMs: 200 }, [port], 1);
  expect(contended.extras?.get('tierkit')?.fairness).toBeGreaterThan(0.5);
  const herd = await runContended({ ...common, name: 'herd', forMs: 0 }, [port], 1);
  expect(herd.extras?.get('tierkit')).toEqual({});
  for (const { nsPerOperation } of [...contended.timings, ...herd.timings])
    expect(nsPerOperation[0]).toBeGreaterThan(0);
}, 60_000);
