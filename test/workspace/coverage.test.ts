import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Row {
  readonly id: string;
  readonly state: string;
  readonly tests: readonly string[];
}

const rows: readonly Row[] = read('docs/coverage.md')
  .split('\n')
  .filter((line) => /^\| [RG]\d+ /.test(line))
  .map((line) => {
    const [, id = '', , state = '', tests = ''] = line.split('|').map((cell) => cell.trim());
    return { id, state, tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file) };
  });

const ids = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);

describe('docs/coverage.md', () => {
  it('has every requirement and every guarantee once', () => {
    expect(rows.map((row) => row.id)).toEqual([...ids('R', 37), ...ids('G', 16)]);
  });

  it.each(rows)('$id is $state and names its tests', ({ state, tests }) => {
    expect(state).toMatch(/^(done|in part|not yet)$/);
    expect(tests.length > 0).toBe(state !== 'not yet');
    expect(tests.filter((file) => !/\.test(-d)?\.ts$/.test(file) || !existsSync(join(root, file)))).toEqual([]);
  });
});

function markdownFiles(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return /^(node_modules|dist|coverage|\.git|\.tmp)$/.test(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

describe('documentation', () => {
  it.each(markdownFiles())('the relative links of %s lead somewhere', (file) => {
    const prose = read(file).replaceAll(/```[\s\S]*?```/g, '');
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.split('#', 1)[0] ?? '');
    const relative = targets.filter((target) => target !== '' && !/^[a-z]+:/i.test(target));
    expect(relative.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
  });
});
