import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

export interface Bundle {
  readonly file: string;
  remove(): void;
}

/**
 * A TypeScript program, from a file or as text, in one file with all that it imports: through a loader, each start of it
 * would take a second.
 */
export async function bundle(
  program: string | { readonly contents: string; readonly resolveDir: string },
): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), 'tierkit-program-'));
  const file = join(folder, 'program.mjs');
  await build({
    ...(typeof program === 'string' ? { entryPoints: [program] } : { stdin: { ...program, loader: 'ts' } }),
    outfile: file,
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
  });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
