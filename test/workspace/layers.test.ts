import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
const rule = 'eslint(no-restricted-imports)';
let folder = '';

beforeAll(() => {
  // A copy of the workspace's rules over a tree of the same shape: nothing here touches the checkout.
  folder = mkdtempSync(join(tmpdir(), 'tierkit-layers-'));
  const config = JSON.parse(readFileSync(join(root, '.oxlintrc.json'), 'utf8')) as { options: object };
  // The type-aware rules need the types of real modules; the layer rules look at nothing but the import.
  writeFileSync(join(folder, '.oxlintrc.json'), JSON.stringify({ ...config, options: {} }));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Finding {
  readonly filename: string;
  readonly code: string;
  readonly help?: string;
}

/** Every finding of the linter in a tree that holds just these files. */
function lint(files: Readonly<Record<string, string>>): readonly Finding[] {
  for (const path of Object.keys(files)) mkdirSync(join(folder, dirname(path)), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  try {
    const { stdout, stderr } = spawnSync(process.execPath, [oxlint, '--format', 'json'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return (JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics;
  } finally {
    for (const path of Object.keys(files)) rmSync(join(folder, path));
  }
}

const importing = (specifier: string): string =>
  `import { thing } from '${specifier}';\nexport const own: unknown = thing;\n`;

const forbidden: readonly (readonly [folder: string, specifier: string])[] = [
  ['core', '@tierkit/redis'],
  ['core', '@tierkit/cache'],
  ['core', 'tierkit'],
  ['core', 'ioredis'],
  ['core', 'node:net'],
  ['core', 'node:fs/promises'],
  ['core', '../../redis/src/index.ts'],
  ['redis', '@tierkit/cache'],
  ['redis', 'tierkit'],
  ['redis', '../../../apps/demo/src/main.ts'],
  ['telemetry', '@tierkit/redis'],
  ['telemetry', '@tierkit/cache'],
  ['cache', 'tierkit'],
  ['cache', '@tierkit/lock'],
  ['cache', '../../../apps/demo/src/main.ts'],
  ['cache', '../../redis/src/connection.ts'],
  ['lock', '@tierkit/cache'],
  ['rate-limit', '@tierkit/quota'],
  ['quota', '@tierkit/bus'],
  ['bus', '@tierkit/cache'],
  ['bus', 'tierkit'],
  ['tierkit', '@tierkit/demo'],
  ['admin', '@tierkit/demo'],
  ['tierkit', '../../../apps/demo/src/main.ts'],
];

const forms: readonly (readonly [form: string, path: string, text: string])[] = [
  ['a type', 'packages/redis/src/type.ts', `import type { Thing } from '@tierkit/cache';\nexport type Own = Thing;\n`],
  ['a re-export', 'packages/redis/src/re-export.ts', `export { thing } from '@tierkit/cache';\n`],
  ['a deep folder', 'packages/redis/src/feed/deep/fixture.ts', importing('@tierkit/cache')],
];

const illegal: readonly (readonly [what: string, path: string, text: string])[] = [
  ...forbidden.map(
    ([name, specifier], i) =>
      [`${name} may not import ${specifier}`, `packages/${name}/src/fixture-${i}.ts`, importing(specifier)] as const,
  ),
  ...forms.map(([form, path, text]) => [`the rule sees ${form}`, path, text] as const),
];

describe('what is illegal', () => {
  let findings: readonly Finding[];
  beforeAll(() => {
    findings = lint(Object.fromEntries(illegal.map(([, path, text]) => [path, text])));
  });

  it.each(illegal)('%s', (_, path) => {
    expect(findings.filter(({ filename }) => filename === path).map(({ code }) => code)).toEqual([rule]);
  });

  it('is found nowhere else', () => {
    expect(new Set(findings.map(({ filename }) => filename))).toEqual(new Set(illegal.map(([, path]) => path)));
  });
});

const allowed: readonly (readonly [folder: string, specifier: string])[] = [
  ['core', 'node:crypto'],
  ['core', './errors.ts'],
  ['core', '../errors.ts'],
  ['redis', '@tierkit/core'],
  ['redis', 'ioredis'],
  ['redis', 'node:net'],
  ['cache', '@tierkit/core'],
  ['cache', '@tierkit/redis'],
  ['tierkit', '@tierkit/cache'],
  ['tierkit', '@tierkit/redis'],
];

it('legal imports pass', () => {
  const files = allowed.map(([name, specifier], i) => [`packages/${name}/src/fixture-${i}.ts`, importing(specifier)]);
  expect(lint(Object.fromEntries(files))).toEqual([]);
});

it('every package has a layer', () => {
  const packages = readdirSync(join(root, 'packages'));
  expect(packages.length).toBeGreaterThan(3);
  const paths = packages.map((name) => `packages/${name}/src/fixture.ts`);
  const findings = lint(Object.fromEntries(paths.map((path) => [path, importing('../../../apps/demo/src/main.ts')])));
  expect(new Set(findings.map(({ filename }) => filename))).toEqual(new Set(paths));
});
