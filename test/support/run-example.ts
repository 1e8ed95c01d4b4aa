import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/**
 * Runs a TypeScript program in a process of its own, bundled with all that it imports: through a loader it would take a
 * second to start.
 */
export async function runExample(
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tierkit-example-'));
  try {
    const outfile = join(folder, 'example.mjs');
    await build({
      entryPoints: [file],
      outfile,
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
    return await promisify(execFile)(process.execPath, [outfile], { env: environment });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
