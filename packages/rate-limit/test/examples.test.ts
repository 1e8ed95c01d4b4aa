import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, readonly string[]>> = {
  'guard.ts': [
    'password, 2 attempts left\nwrong password, 1 attempts left\nwrong password, 0 attempts left\naccount blocked, for a minute: true\n',
    'another account from there: true\nafter a reset: true\n',
  ],
  'http.ts': ["200 {\n  'RateLimit-Policy': '\"minute\";q=2;w=60',\n", "'\"minute\";r=0;t=60',\n  'Retry-After': '60'"],
  'waiting.ts': ['allowed: 2\ntook 500 ms at least: true\nin time for a deadline of 1 ms: false\n'],
  'limiter.ts': [
    'cost 1: allowed by burst, 2 left\ncost 2: allowed by burst, 0 left\ncost 1: denied by burst, 0 left\n',
    'on plan pro: allowed, 26 of 30 left\na cost of 31 has to wait for Infinity\nafter a reset: 3\n',
  ],
};

it.each(readdirSync(directory))(
  '%s runs and says what it should',
  async (file) => {
    const env = { ...process.env, REDIS_URL: inject('redisUrl') };
    const { stdout } = await runExample(directory + file, env);
    expect(says[file]).toBeDefined();
    for (const text of says[file] ?? []) expect(stdout).toContain(text);
  },
  60_000,
);
