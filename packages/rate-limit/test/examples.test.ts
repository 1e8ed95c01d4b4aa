import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, it } from 'vitest';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, readonly string[]>> = {
  'limiter.ts': [
    'cost 1: allowed by burst, 2 left\ncost 2: allowed by burst, 0 left\ncost 1: denied by burst, 0 left\n',
    'on plan pro: allowed, 26 of 30 left\na cost of 31 has to wait for Infinity\nafter a reset: 3\n',
  ],
};

it.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const flags = ['--conditions=@tierkit/source', '--import', 'tsx'];
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, directory + file], { env });
  expect(says[file]).toBeDefined();
  for (const text of says[file] ?? []) expect(stdout).toContain(text);
});
