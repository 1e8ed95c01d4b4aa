import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** How much of a folder is analysed. */
export const BOUNDS = { files: 400, fileBytes: 512 * 1024, totalBytes: 16 * 1024 * 1024 } as const;

const SOURCE = /\.[mc]?[jt]sx?$/i;
const SKIPPED = new Set(['node_modules', 'dist', 'coverage']);

interface SourceFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
}

export interface SourceFolder {
  readonly root: string;
  readonly files: readonly SourceFile[];
  /** Files left out because they, or all of them together, are beyond the bounds. */
  readonly leftOut: number;
}

/**
 * Lists the source files below a folder in the order of their paths, within `BOUNDS`. Skips dependencies, build output
 * and names that begin with a dot; follows no symbolic link save the folder itself.
 */
export async function listSources(folder: string): Promise<SourceFolder> {
  const root = await realpath(folder);
  const files: SourceFile[] = [];
  let leftOut = 0;
  let totalBytes = 0;
  for await (const path of walk(root)) {
    const bytes = await size(path);
    if (bytes === undefined) continue;
    if (files.length >= BOUNDS.files || bytes > BOUNDS.fileBytes || totalBytes + bytes > BOUNDS.totalBytes) leftOut++;
    else {
      files.push({ path: relative(root, path).split(sep).join('/'), bytes });
      totalBytes += bytes;
    }
  }
  return { root, files, leftOut };
}

async function* walk(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile() && SOURCE.test(entry.name)) yield path;
  }
}

/** `undefined` for a file that went away since it was listed. */
async function size(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
