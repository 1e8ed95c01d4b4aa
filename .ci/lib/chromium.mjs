import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installDebian } from './debian.mjs';
import { fail } from './log.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export const NO_CHROMIUM =
  'no Chromium found. Install it (apt-get or dnf install chromium, or Google Chrome), or set CHROMIUM to its path';

/** The path of the Chromium that CHROMIUM names, or of one on the PATH. @returns {string | undefined} */
export function findChromium() {
  const given = process.env['CHROMIUM'];
  if (given) return isExecutable(given) ? given : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Makes sure that the tests have a Chromium; on Debian as root it is installed, elsewhere one line says how. */
export async function ensureChromium() {
  if (findChromium() !== undefined) return;
  if (process.env['CHROMIUM']) fail('CHROMIUM names no program');
  if (await installDebian('chromium', () => findChromium() !== undefined)) return;
  fail(NO_CHROMIUM);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
