import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../src/command-line.ts';

const here = dirname(fileURLToPath(import.meta.url));

describe('readCommandLine', () => {
  it('takes this repository for a default', async () => {
    const line = await readCommandLine([]);
    expect(line).toMatchObject({ once: false, live: false, help: false });
    expect(line.folder).toMatch(/packages\/?$/);
  });

  it('takes a folder and --once in any order', async () => {
    expect(await readCommandLine(['--once', here])).toEqual({ folder: here, once: true, live: false, help: false });
    expect(await readCommandLine([here, '--live'])).toEqual({ folder: here, once: false, live: true, help: false });
    expect(await readCommandLine([here, '--once'])).toEqual({ folder: here, once: true, live: false, help: false });
  });

  it.each([
    [['--bogus'], "Unknown option '--bogus'"],
    [['--once=yes'], "Option '--once' does not take an argument"],
    [['a', 'b'], 'one folder is enough, got 2'],
    [['no/such/folder'], 'no such folder: no/such/folder'],
    [[fileURLToPath(import.meta.url)], 'not a folder: '],
    [['bad\0name'], 'no such folder: bad'],
  ])('refuses %j in one line', async (args, message) => {
    const refused = readCommandLine(args);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(/^.*$/);
  });
});
