import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail, say } from './log.mjs';
import { output, run } from './run.mjs';

/**
 * The command line of the pnpm version that package.json names: the one on the PATH if it is that version, else npm
 * fetches it. Corepack is left out on purpose: newer Node releases come without it.
 * @returns {string[]}
 */
export function pnpm() {
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
  const version = /^pnpm@([\d.]+)/.exec(packageManager)?.[1];
  if (version === undefined) fail('package.json: "packageManager" must name a version of pnpm');
  if (output('pnpm', ['--version']) === version) return ['pnpm'];
  return [...npm(), 'exec', '--yes', '--loglevel=error', `--package=pnpm@${version}`, '--', 'pnpm'];
}

/** npm as a script of this very Node where it can be found. @returns {string[]} */
function npm() {
  const beside = dirname(process.execPath);
  const script = [
    process.env['npm_execpath'],
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
  ].find((path) => path?.endsWith('npm-cli.js') && existsSync(path));
  return script === undefined ? ['npm'] : [process.execPath, script];
}

/** Installs the dependencies of the lock file, unless they are there already. */
export async function install() {
  const stampFile = join('node_modules', '.tierkit-installed');
  const hash = createHash('sha256').update(process.platform + process.arch);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]) hash.update(readFileSync(file));
  const stamp = hash.digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing dependencies');
  const [file = '', ...args] = pnpm();
  const options = ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'];
  const code = await run(file, [...args, ...options], { ...process.env, CI: 'true' });
  if (code !== 0) fail(`pnpm install ended with code ${code}`);
  mkdirSync('node_modules', { recursive: true });
  writeFileSync(stampFile, stamp);
}

function manifests() {
  const folders = ['packages', 'apps'].flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)));
  return ['.', 'test', ...folders].map((folder) => join(folder, 'package.json')).filter((file) => existsSync(file));
}
