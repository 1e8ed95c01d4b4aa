import { expect, test } from 'vitest';
import type { LimitSubject } from '../src/limit-subject.ts';
import { runLimit, type LimitScenario } from '../src/run-limit.ts';

let asked = 0;
const server = { port: 0, commands: { total: async () => asked, close: () => {} } };
const options = { rounds: 2, sliceMs: 2, warmUpMs: 1, maxMs: 1_000 };

/** Counts in this process; `more` is how far it goes above its limit. */
function counting(name: string, role: LimitSubject['role'], more = 0): LimitSubject {
  return {
    name,
    role,
    open: async ({ limit }) => {
      const counts = new Map<string, number>();
      return {
        consume: async (key) => {
          asked++;
          const count = (counts.get(key) ?? 0) + 1;
          counts.set(key, count);
          return count <= limit + more;
        },
        close: async () => undefined,
      };
    },
  };
}

const scenario = (subjects: readonly LimitSubject[], denied = false): LimitScenario => ({
  name: 'limit-test',
  concurrency: 2,
  denied,
  goal: undefined,
  subjects,
});

test.each([false, true])('measures those that keep their limit, denied %s', async (denied) => {
  const absent: LimitSubject = { name: 'absent', role: 'peer', open: async () => ({ absent: 'it is not there' }) };
  const subjects = [counting('limit', 'limit'), counting('ours', 'ours'), absent];
  const result = await runLimit(scenario(subjects, denied), server, options);
  expect(result.timings.map(({ name }) => name)).toEqual(['limit', 'ours']);
  expect(result.absent).toEqual([{ name: 'absent', reason: 'it is not there' }]);
  expect(result.commandsPerRead.get('ours')).toBe(1);
});

test('one that admits too much does not get to be measured', async () => {
  const subjects = [counting('limit', 'limit'), counting('generous', 'peer', 1)];
  await expect(runLimit(scenario(subjects), server, options)).rejects.toThrow('generous decides');
});
