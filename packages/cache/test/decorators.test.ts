import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle } from '../../../test/support/bundle.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

const tasks = `
import { cached, callKey, createTiers, invalidates } from '@tierkit/cache';

const tiers = createTiers({ redis: 'memory' });
const calls: string[] = [];

class Tasks {
  readonly prefix = 'of ';

  @cached({ scope: tiers.global, key: (id: string) => ['task', id], ttl: '5m' })
  async one(id: string): Promise<string> {
    calls.push(id);
    return this.prefix + id;
  }

  @invalidates({ scope: tiers.global, keys: (id: string) => [['task', id]], patterns: ['tasks:*'] })
  async update(id: string): Promise<string> {
    return 'updated ' + id;
  }

  @cached({ scope: tiers.global, prefix: 'count' })
  static async count(): Promise<number> {
    return calls.length;
  }
}

class Project {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  @cached({ scope: (self: Project) => tiers.project(self.id), prefix: 'tree', ttl: '1m' })
  async tree(branch: string): Promise<string> {
    calls.push(this.id);
    return this.id + '@' + branch;
  }

  @tiers.invalidates({ scope: (self: Project) => tiers.project(self.id), keys: (name) => [callKey('tree', [name])] })
  async push(branch: string): Promise<void> {}
}

const tasks = new Tasks();
const answers: unknown[] = [await tasks.one('1'), await tasks.one('1'), await tasks.update('1'), await tasks.one('1')];
answers.push(await Tasks.count(), calls.join(), await Tasks.count());
const [p1, p2] = [new Project('p1'), new Project('p2')];
answers.push(await p1.tree('main'), await p2.tree('main'), await p1.push('main'), await p1.tree('main'));
answers.push(await p2.tree('main'), calls.join());
console.log(JSON.stringify(answers));
await tiers.close();
`;

const misplaced = `
import { cached, createTiers } from '@tierkit/cache';

const tiers = createTiers({ redis: 'memory' });
try {
  class Wrong {
    // @ts-ignore
    @cached({ scope: tiers.global, prefix: 'x' })
    field = 1;
  }
  new Wrong();
} catch (error) {
  console.log((error as { code: string }).code);
}
await tiers.close();
`;

let folder: string;
beforeAll(async () => {
  await mkdir(join(root, '.tmp'), { recursive: true });
  folder = await mkdtemp(join(root, '.tmp/decorators-'));
  await mkdir(join(folder, 'node_modules/@tierkit'), { recursive: true });
  await symlink(join(root, 'packages/cache'), join(folder, 'node_modules/@tierkit/cache'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'tasks.ts'), tasks);
  await writeFile(join(folder, 'misplaced.ts'), misplaced);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Compiled with every check on for the older form; the newer one is checked with the workspace. @returns the folder of the output */
async function withTypeScript(experimentalDecorators: boolean): Promise<string> {
  const project = join(folder, `tsconfig.${experimentalDecorators}.json`);
  const outDir = join(folder, `typescript-${experimentalDecorators}`);
  const compilerOptions = {
    experimentalDecorators,
    noUnusedParameters: false,
    noCheck: !experimentalDecorators,
    outDir,
    rootDir: root,
    composite: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    tsBuildInfoFile: null,
    target: 'es2022',
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const files = [join(folder, 'tasks.ts'), join(folder, 'misplaced.ts')];
  await writeFile(project, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files }));
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]);
  return join(outDir, relative(root, folder));
}

async function withEsbuild(experimentalDecorators: boolean): Promise<string> {
  const outDir = join(folder, `esbuild-${experimentalDecorators}`);
  await mkdir(outDir);
  for (const [name, source] of Object.entries({ tasks, misplaced })) {
    const tsconfigRaw = { compilerOptions: { experimentalDecorators } };
    const { code } = await transform(source, { loader: 'ts', target: 'es2022', tsconfigRaw });
    await writeFile(join(outDir, `${name}.js`), code);
  }
  return outDir;
}

async function outputOf(file: string): Promise<string> {
  const program = await bundle(file);
  try {
    return (await run(process.execPath, [program.file])).stdout;
  } finally {
    program.remove();
  }
}

it.each([
  ['TypeScript, standard decorators', withTypeScript, false],
  ['TypeScript, experimentalDecorators', withTypeScript, true],
  ['esbuild, standard decorators', withEsbuild, false],
  ['esbuild, experimentalDecorators', withEsbuild, true],
])(
  'compiled with %s, methods are cached and invalidate',
  async (_, compile, legacy) => {
    const outDir = await compile(legacy);
    expect((await readFile(join(outDir, 'tasks.js'), 'utf8')).includes('__esDecorate')).toBe(
      compile === withTypeScript && !legacy,
    );
    const ofProjects = ['p1@main', 'p2@main', null, 'p1@main', 'p2@main', '1,1,p1,p2,p1'];
    const answers: unknown = JSON.parse(await outputOf(join(outDir, 'tasks.js')));
    expect(answers).toEqual(['of 1', 'of 1', 'updated 1', 'of 1', 2, '1,1', 2, ...ofProjects]);
    expect(await outputOf(join(outDir, 'misplaced.js'))).toBe('ERR_CACHE_OPTIONS\n');
  },
  90_000,
);
