import { existsSync } from 'node:fs';
import { say } from './log.mjs';
import { run } from './run.mjs';

let updated = false;

/**
 * Installs a Debian package when that is possible: Debian, root, and apt-get.
 * @param {string} name @param {() => boolean} installed @returns {Promise<boolean>}
 */
export async function installDebian(name, installed) {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return false;
  say(`installing Debian's ${name}`);
  // Installing must not start a service on the default port.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  updated ||= (await run('apt-get', ['update', '-qq'], env)) === 0;
  if (!updated) return false;
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], env);
  return installed();
}
