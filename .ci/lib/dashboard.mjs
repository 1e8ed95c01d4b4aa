import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCES = 'packages/admin/dashboard';
const PAGE = 'packages/admin/dist/public/index.html';
const STAMP = '.tmp/dashboard.sha256';

/** Builds the admin's dashboard, unless the one that is there is of these sources. */
export async function buildDashboard() {
  const stamp = stampOfSources();
  if (existsSync(PAGE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return;
  const { build } = await import('vite');
  await build({ configFile: resolve(SOURCES, 'vite.config.ts') });
  mkdirSync('.tmp', { recursive: true });
  writeFileSync(STAMP, stamp);
}

function stampOfSources() {
  const hash = createHash('sha256').update(readFileSync('pnpm-lock.yaml'));
  const entries = readdirSync(SOURCES, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}
