import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** A file, or what stands in one of that folder. */
export type Program = string | { readonly contents: string; readonly resolveDir: string };

export interface Bundle {
  readonly file: string;
  remove(): void;
}

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  conditions: ['@tierkit/source'],
  external: ['msgpackr-extract'],
  logLevel: 'error',
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
};

/** What to take for a source file, by its path. */
export type Edit = (path: string, source: string) => string;

const unchanged: Edit = (_path, source) => source;

/**
 * A TypeScript program, from a file or as text, in one file with all that it imports: through a loader, each start of it
 * would take a second. Programs that it starts, as `new URL('x.ts', import.meta.url)`, are bundled beside it.
 */
export async function bundle(program: Program, edit: Edit = unchanged): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'tierkit-program-'));
  const file = join(folder, 'program.mjs');
  const programs = new Map<string, string>();
  const bundled = (source: string): string => {
    const known = programs.get(source) ?? join(folder, `program-${programs.size}.mjs`);
    programs.set(source, known);
    return known;
  };
  const plugins = [besideTheSource(bundled, edit), whereInstalled];
  const first: BuildOptions =
    typeof program === 'string' ? { entryPoints: [program] } : { stdin: { ...program, loader: 'ts' } };
  await build({ ...common, ...first, plugins, outfile: file });
  for (const [source, outfile] of programs) await build({ ...common, entryPoints: [source], plugins, outfile });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A source that asks where it is hears of its own place, from where it finds its files, or of a program's bundle. */
function besideTheSource(bundled: (program: string) => string, edit: Edit): Plugin {
  const program = /new URL\('([^'\n]+\.ts)', import\.meta\.url\)/g;
  return {
    name: 'beside-the-source',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const original = readFileSync(path, 'utf8');
        const source = edit(path, original);
        if (source === original && !source.includes('import.meta.url')) return undefined;
        const text = (file: string): string => JSON.stringify(pathToFileURL(file).href);
        const contents = source
          .replaceAll(program, (_, started: string) => `new URL(${text(bundled(resolve(dirname(path), started)))})`)
          .replaceAll('import.meta.url', text(path));
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** These load files of their own. */
const whereInstalled: Plugin = {
  name: 'where-installed',
  setup(build) {
    build.onResolve(
      { filter: /^(?:oxc-parser|@electric-sql\/pglite)$/ },
      async ({ path, kind, resolveDir, pluginData }) => {
        if (pluginData === whereInstalled) return undefined;
        const found = await build.resolve(path, { kind, resolveDir, pluginData: whereInstalled });
        return { path: pathToFileURL(found.path).href, external: true };
      },
    );
  },
};
