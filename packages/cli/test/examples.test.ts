import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { runExample } from '../../../test/support/run-example.ts';

const directory = fileURLToPath(new URL('../examples/', import.meta.url));

const says: Readonly<Record<string, string>> = {
  'own-command.ts': [
    '2 entries matching task:*; nothing was changed',
    'exit code 6: ERR_CLI_UNCONFIRMED: This ends 2 entries matching task:*. Nothing was changed: repeat with --yes',
    '2 entries matching task:* were ended',
    'left: no keys\n',
  ].join('\n'),
};

it.each(readdirSync(directory))(
  '%s runs and says what it should',
  async (file) => {
    const env = { ...process.env, REDIS_URL: inject('redisUrl') };
    const { stdout } = await runExample(directory + file, env);
    expect(stdout).toBe(says[file]);
  },
  60_000,
);
