import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string[]>> = {
  'plans.ts': [
    'r1 is counted: 1 of 3\nr2 is counted: 2 of 3\nr2 was counted before: 2 of 3\nann has used 80 % of api_calls per day\n',
    'ann has used 100 % of api_calls per day\nr3 is counted: 3 of 3\nr4 is refused: 3 of 3\nwith a limit of her own: true\n',
    'no room for 600000 bytes, for 400000\nstored: 0\ncost: 1260 today, 1260 this month',
  ],
  'holds.ts': ["[ 'FIRST', 'refused, only 4000 left' ]\nTHIRD\nError: nothing to say\n1000\n"],
};

it.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await runExample(directory + file, env);
  expect(stdout).not.toBe('');
  for (const line of says[file] ?? []) expect(stdout).toContain(line);
});
