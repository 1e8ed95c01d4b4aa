import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { say } from './log.mjs';
import { pnpm } from './pnpm.mjs';
import { output, run } from './run.mjs';

/** @returns {string[]} the folders that hold a package */
export function packageNames() {
  return readdirSync('packages').filter((name) => existsSync(join('packages', name, 'package.json')));
}

/**
 * Packs every package as it would be published and lints the tarballs. pnpm does the packing, since npm would neither
 * apply `publishConfig.exports` nor replace `workspace:` and `catalog:` versions.
 * @returns {Promise<number>} the first exit code that is not 0
 */
export async function lintPackages() {
  const folder = resolve('.tmp/packed');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [file = '', ...args] = pnpm();
  for (const name of packageNames()) {
    const pack = [...args, '--dir', join('packages', name), 'pack', '--silent', '--pack-destination', folder];
    // What it lists is of interest only when it fails.
    if (output(file, pack) !== undefined) continue;
    const code = await run(file, pack);
    if (code !== 0) return code;
  }
  for (const name of readdirSync(folder)) {
    const tarball = join(folder, name);
    // It is built by vite, so that nothing else would notice its absence.
    if (
      name.startsWith('tierkit-admin-') &&
      !output('tar', ['-tzf', tarball])?.includes('package/dist/public/index.html')
    ) {
      say(`${name} has no dashboard`);
      return 1;
    }
    const publint = await run(process.execPath, ['node_modules/publint/src/cli.js', tarball, '--strict']);
    if (publint !== 0) return publint;
    const attw = [
      'node_modules/@arethetypeswrong/cli/dist/index.js',
      tarball,
      '--profile',
      'esm-only',
      '--format',
      'ascii',
    ];
    const types = await run(process.execPath, [...attw, '--quiet']);
    if (types !== 0) return types;
  }
  return 0;
}
