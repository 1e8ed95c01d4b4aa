import { join } from 'node:path';
import { unresolvedImports } from '../analyser/unresolved-imports.ts';
import type { Survey } from './operations.ts';
import type { AnalysisService } from './service.ts';

const PACKAGE = /^(?:@[\w.~-]+\/)?[a-z\d~-][\w.~-]*(?=\/|$)/;

/** Adds up the reports of files, and checks on disk what the analyses by content cannot know: whether imports exist. */
export async function survey(
  service: AnalysisService,
  root: string,
  project: string,
  paths: readonly string[],
): Promise<Survey> {
  const packages = new Map<string, string>();
  const findings: Survey['findings'][number][] = [];
  let [lines, functions, complexity, exports] = [0, 0, 0, 0];
  for (const path of paths) {
    const { value: report } = await service.analyse(project, path);
    lines += report.lines;
    functions += report.functions.length;
    complexity += report.complexity;
    exports += report.exports.length;
    for (const finding of [...report.findings, ...(await unresolvedImports(join(root, path), report))])
      findings.push({ ...finding, path });
    for (const { specifier } of report.imports) {
      const name = PACKAGE.exec(specifier)?.[0];
      if (name !== undefined && !packages.has(name)) packages.set(name, path);
    }
  }
  return {
    files: paths.length,
    lines,
    functions,
    complexity,
    exports,
    findings,
    packages: [...packages].map(([name, importer]) => ({ name, importer })),
  };
}
