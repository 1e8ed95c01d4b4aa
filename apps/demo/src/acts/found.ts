import { BOUNDS } from '../source-folder.ts';
import type { Stage } from '../stage/stage.ts';

const SHOWN = 5;

/** What the analysis found in the folder: the work itself, not its cost. */
export async function foundAct({ a, paths, sources, printer }: Stage): Promise<void> {
  const found = await a.call('survey', { project: 'tour', paths });
  printer.title('What the analysis found');
  if (sources.leftOut > 0)
    printer.note(
      `${sources.leftOut} files left out: at most ${BOUNDS.files} files, ${BOUNDS.fileBytes / 1024} KiB each, ${BOUNDS.totalBytes / 1024 ** 2} MiB in all.`,
    );
  printer.line(
    `${found.files} files, ${found.lines} lines, ${found.functions} functions, ${found.exports} ES module exports, complexity ${found.complexity}, ${found.packages.length} packages imported.`,
  );
  const kinds = new Map<string, number>();
  for (const { kind } of found.findings) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const counts = [...kinds].map(([kind, count]) => `${kind} ${count}`);
  printer.line(`Findings: ${counts.length === 0 ? 'none' : counts.join(', ')}.`);
  for (const { path, line, kind, message } of found.findings.slice(0, SHOWN))
    printer.line(`  ${path}:${line}  ${kind}: ${message}`);
  if (found.findings.length > SHOWN) printer.note(`  and ${found.findings.length - SHOWN} more`);
}
