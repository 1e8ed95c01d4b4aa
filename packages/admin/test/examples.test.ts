import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string>> = {
  'alone.ts': [
    'keys: 2',
    'audit: on-call readEntry 200',
    'value: {"name":"write"}',
    'audit: grafana clear 403',
    'a viewer clears: ERR_ADMIN_FORBIDDEN',
    'audit: on-call invalidate 200',
    'deleted: 2\n',
  ].join('\n'),
};

it.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await runExample(directory + file, env);
  expect(stdout).toBe(says[file]);
});
