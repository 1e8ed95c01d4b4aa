import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));
const outputs: Readonly<Record<string, RegExp>> = {
  'connect.ts': /^Redis is up\nhello, breaker closed\n$/,
  'script.ts': /^left: 1\nleft: undefined\n$/,
  'without-redis.ts':
    /call 1: ERR_REDIS_UNAVAILABLE at once, applied: no, closed\n(.*\n)*call 4: .* open\nhealth: down/,
  'scan.ts': /^(\d+ written\n)+100 found\nRedis \d/,
};

test.each(readdirSync(directory))('%s says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout, stderr } = await runExample(directory + file, env);
  expect(stderr).toBe('');
  expect(stdout).toMatch(outputs[file] ?? /^no output is expected of this file$/);
});
