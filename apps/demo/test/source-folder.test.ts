import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { analyseSource } from '../src/analyser/analyse-source.ts';
import { unresolvedImports } from '../src/analyser/unresolved-imports.ts';
import { BOUNDS, listSources } from '../src/source-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tierkit-demo-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const paths = async (): Promise<string[]> => (await listSources(folder)).files.map(({ path }) => path);

describe('listSources', () => {
  it('lists sources in order, without dependencies, output and dot folders', async () => {
    for (const path of ['b.ts', 'a/c.mjs', 'a/d.tsx', 'README.md', 'node_modules/x/i.js', 'a/dist/o.js', '.git/h.js'])
      write(path, 'x');
    expect(await paths()).toEqual(['a/c.mjs', 'a/d.tsx', 'b.ts']);
  });

  it('follows no symbolic link, so a circle ends', async () => {
    write('a/b.ts', 'x');
    symlinkSync(folder, join(folder, 'a/circle'));
    symlinkSync(join(folder, 'a/b.ts'), join(folder, 'linked.ts'));
    expect(await paths()).toEqual(['a/b.ts']);
  });

  it('leaves out what is too large, and counts it', async () => {
    write('small.ts', 'x');
    write('large.ts', 'x'.repeat(BOUNDS.fileBytes + 1));
    expect(await listSources(folder)).toMatchObject({ files: [{ path: 'small.ts', bytes: 1 }], leftOut: 1 });
  });

  it('bounds the number of files', async () => {
    for (let n = 0; n < BOUNDS.files + 3; n++) write(`${n}.ts`, '');
    const { files, leftOut } = await listSources(folder);
    expect([files.length, leftOut]).toEqual([BOUNDS.files, 3]);
  });

  it('lists an empty folder', async () => {
    expect(await paths()).toEqual([]);
  });
});

async function unresolved(specifier: string): Promise<string[]> {
  const text = `import ${JSON.stringify(specifier)}`;
  const found = await unresolvedImports(join(folder, 'from/a.ts'), analyseSource('a.ts', text));
  return found.map(({ message }) => message);
}

describe('unresolvedImports', () => {
  it.each([
    ['as written', './b.css', 'from/b.css'],
    ['TypeScript for .js', './b.js', 'from/b.ts'],
    ['TSX for .js', './b.js', 'from/b.tsx'],
    ['TypeScript for .mjs', './b.mjs', 'from/b.mts'],
    ['without extension', '../b', 'b.js'],
    ['a dot in the name', './b.types', 'from/b.types.ts'],
    ['an index', './b', 'from/b/index.ts'],
    ['the own index', '.', 'from/index.ts'],
    ['the index above', '..', 'index.js'],
    ['a query', './b.svg?raw', 'from/b.svg'],
  ])('resolves %s', async (_what, specifier, path) => {
    expect(await unresolved(specifier)).toEqual([specifier]);
    write(path, '');
    expect(await unresolved(specifier)).toEqual([]);
  });

  it('takes no folder without an index for a file', async () => {
    write('from/b/c.ts', '');
    expect(await unresolved('./b')).toEqual(['./b']);
  });

  it('leaves packages alone', async () => {
    expect(await unresolved('no-such-package')).toEqual([]);
  });
});
