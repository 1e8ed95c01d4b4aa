import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string[]>> = {
  'prometheus.ts': [
    'tierkit_cache_reads_total{tier="global",result="l1_hit"} 1',
    'tierkit_cache_reads_total{tier="global",result="miss"} 1',
  ],
  'opentelemetry.ts': [
    "tierkit.cache.load { 'tierkit.tier': 'global', 'tierkit.key': '845e91831319e89c' }",
    "tierkit.cache.get_or_set { 'tierkit.tier': 'global', 'tierkit.key': '845e91831319e89c' }\nGET /report {}\n",
  ],
};

it.each(readdirSync(directory))('%s runs and says what it should', async (file) => {
  const env = { ...process.env, REDIS_URL: inject('redisUrl') };
  const { stdout } = await runExample(directory + file, env);
  expect(stdout).not.toBe('');
  for (const line of says[file] ?? []) expect(stdout).toContain(line);
});
