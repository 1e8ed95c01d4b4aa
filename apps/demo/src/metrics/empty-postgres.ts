import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';

const FOLDER = fileURLToPath(new URL('../../../../.tmp/', import.meta.url));

/**
 * A Postgres within this process, compiled to WebAssembly, that forgets all at the end. To set an empty one up takes
 * seconds; what the first had after that is kept below `.tmp` for those that follow.
 */
export async function emptyPostgres(): Promise<PGlite> {
  const file = join(FOLDER, `empty-postgres-${await version()}.tar`);
  const kept = await readFile(file).catch(() => undefined);
  if (kept !== undefined) return PGlite.create({ loadDataDir: new Blob([kept]) });
  const postgres = await PGlite.create();
  const dump = await postgres.dumpDataDir('none');
  await mkdir(FOLDER, { recursive: true });
  // Whoever reads it meanwhile sees all of it or nothing.
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, Buffer.from(await dump.arrayBuffer()));
  await rename(draft, file);
  return postgres;
}

async function version(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const text = await readFile(join(dirname(entry), '../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
