import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

it.each(readdirSync(directory))('%s runs', async (file) => {
  const { stdout } = await runExample(directory + file, process.env);
  expect(stdout).not.toBe('');
});
