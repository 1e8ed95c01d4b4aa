import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const folder = fileURLToPath(new URL('../examples/', import.meta.url));

async function run(example: string, env: Record<string, string> = {}): Promise<string> {
  const { REDIS_URL: _, ...rest } = process.env;
  const { stdout, stderr } = await runExample(`${folder}${example}`, { ...rest, ...env });
  expect(stderr).toBe('');
  return stdout;
}

const expected: Readonly<Record<string, RegExp>> = {
  'environment.ts': /\[ 'disk-1', 'disk-2' \] for 3[56]\d{5}(\.\d+)? ms/,
  'tiers.ts': /session: src\/index\.ts\nproject: the tree was read 1 time\nglobal: 1 answer.*\nafter logout: undefined/,
};

it.each([
  ['../README.md', ['true']],
  ['../../../README.md', ['true', '"src/index.ts"', 'true', 'true']],
  ['../../cache/README.md', ['true', '{"path":"src/a.ts","line":12}', 'true', 'true']],
])('the first code of %s runs as it is, and its calls find Redis', async (readme, answers) => {
  const text = readFileSync(new URL(readme, import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  expect(code).toMatch(/^await (?:kit|tiers)\.close\(\);/m);
  // What the statements that only read or change answer.
  const shown = code.replaceAll(
    /^(await [\w.]+\.(?:get|set|delete|clear)\(.*\));/gm,
    'console.log(JSON.stringify($1));',
  );
  const env = { ...process.env, CACHE_BACKEND: 'redis', LOG_LEVEL: 'error', REDIS_URL: inject('redisUrl') };
  const { stdout, stderr } = await runExample({ contents: shown, resolveDir: folder }, env);
  expect([stdout.trim().split('\n'), stderr]).toEqual([answers, '']);
});

describe('examples', () => {
  it('are all expected to print something', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(Object.entries(expected))('%s runs without and with Redis', async (example, output) => {
    expect(await run(example, { CACHE_BACKEND: 'memory' })).toMatch(output);
    expect(await run(example, { CACHE_BACKEND: 'redis', LOG_LEVEL: 'error', REDIS_URL: inject('redisUrl') })).toMatch(
      output,
    );
  });

  it('name the faults of a wrong environment', async () => {
    await expect(run('environment.ts', { CACHE_TTL_SEARCH: 'soon', LOG_LEVEL: 'loud' })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^ERR_TIERKIT_ENVIRONMENT: The environment has 2 faults:\n {2}LOG_LEVEL: .*\n {2}CACHE_TTL_SEARCH: /,
      ) as string,
    });
  });
});
