import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string[]>> = {
  'two-services.ts': [
    "heard events:version_promoted { versionId: 'v123' }\nheard notifications:user:42 { text: 'v123 is live' }\n",
    "replayed { versionId: 'v123' }",
  ],
  'dead-letters.ts': [
    'given up: { id: 2 } after 2 attempts: no mail server, attempt 2\nreplayed: 1\nfinished: 1, 3, 2',
  ],
};

it.concurrent.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await runExample(directory + file, env);
  expect(says[file]).toBeDefined();
  for (const line of says[file] ?? []) expect(stdout).toContain(line);
});
