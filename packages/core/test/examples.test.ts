import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

it.each(readdirSync(directory))('%s runs', async (file) => {
  const flags = ['--conditions=@tierkit/source', '--import', 'tsx'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, directory + file]);
  expect(stdout).not.toBe('');
});
