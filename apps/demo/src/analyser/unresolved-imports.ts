import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileReport, Finding, Import } from './report.ts';

const EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.d.ts', '.js', '.jsx', '.mjs', '.cjs', '.json'];
const SOURCES_OF: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx', '.d.ts', '.jsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts', '.d.mts'],
  '.cjs': ['.cts', '.d.cts'],
};

/** Findings for the relative imports of a file that lead to no file on disk, be it as written, as TypeScript or as an index. */
export async function unresolvedImports(file: string, report: FileReport): Promise<Finding[]> {
  const checked = await Promise.all(
    report.imports.filter(isRelative).map(async ({ specifier, line }): Promise<Finding[]> => {
      const target = join(dirname(file), specifier.replace(/[?#].*$/, ''));
      for (const candidate of candidates(target, specifier)) if (await isFile(candidate)) return [];
      return [{ kind: 'unresolved import', line, message: specifier }];
    }),
  );
  return checked.flat();
}

function isRelative({ specifier }: Import): boolean {
  return /^\.\.?(?:\/|$)/.test(specifier);
}

function candidates(target: string, specifier: string): string[] {
  const indexes = EXTENSIONS.map((extension) => join(target, `index${extension}`));
  if (/(?:^|\/)\.{0,2}$/.test(specifier)) return indexes;
  const written = /\.[mc]?jsx?$/.exec(target)?.[0] ?? '';
  const stem = target.slice(0, target.length - written.length);
  const sources = (SOURCES_OF[written] ?? []).map((extension) => stem + extension);
  return [target, ...sources, ...EXTENSIONS.map((extension) => target + extension), ...indexes];
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
