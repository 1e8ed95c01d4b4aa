import { expect, it } from 'vitest';
import { missedGoals, type Goals } from '../src/goals.ts';
import { summarise } from '../src/report.ts';
import type { Extras, ScenarioResult } from '../src/run-scenario.ts';

function missed(own: number, goals: Goals, extras: Extras = {}, goal?: number): string[] {
  const times = (ns: number): number[] => [ns, ns, ns];
  const result: ScenarioResult = {
    scenario: { name: 's', goal, goals },
    subjects: [
      { name: 'limit', role: 'limit' },
      { name: 'tierkit', role: 'ours' },
      { name: 'peer', role: 'peer' },
    ],
    timings: [
      { name: 'limit', nsPerOperation: times(100) },
      { name: 'tierkit', nsPerOperation: times(own) },
      { name: 'peer', nsPerOperation: times(300) },
    ],
    commandsPerRead: new Map([['tierkit', 4]]),
    extras: new Map([['tierkit', extras]]),
    absent: [],
  };
  return missedGoals(result, summarise(result));
}

it('tells what was missed, and nothing that was reached', () => {
  const beats = [{ subject: 'tierkit', rival: 'peer', times: 2 }];
  expect(missed(120, { beats, atLeast: { fairness: 0.99 }, commandsAtMost: 4 }, { fairness: 1 }, 1.2)).toEqual([]);
  expect(missed(121, {}, {}, 1.2)).toEqual(['missed in s: tierkit takes 1.21 times the limit at the least, not 1.2']);
  expect(missed(160, { beats })).toEqual(['missed in s: tierkit has not 2 times the throughput of peer']);
  expect(missed(1, { beats: [{ subject: 'tierkit', rival: 'gone', times: 1 }] })).toHaveLength(1);
  expect(missed(1, { atLeast: { fairness: 0.99 } }, { fairness: 0.9 })).toHaveLength(1);
  expect(missed(1, { atMost: { longestWaitToMedian: 3 } }, { longestWaitToMedian: 4 })).toHaveLength(1);
  expect(missed(1, { commandsAtMost: 3.5 })).toEqual(['missed in s: tierkit: more than 3.5 commands']);
});
