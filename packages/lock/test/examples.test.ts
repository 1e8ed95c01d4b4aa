import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string>> = {
  'analyse-once.ts': 'held by one waiting: two\none saves: true\ntwo saves: true\n',
  'lost.ts':
    'the work was aborted\nbefore saving: ERR_LOCK_LOST\nthe request: ERR_LOCK_LOST\n' +
    "permits: [ true, true, false ]\nlocked: [ 'a', 'b' ]\n",
};

it.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await runExample(directory + file, env);
  expect(stdout).toBe(says[file]);
});
