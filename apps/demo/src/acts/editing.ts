import type { InstanceProcess } from '../instance/instance-process.ts';
import { duration, latencies } from '../stage/latencies.ts';
import type { Stage } from '../stage/stage.ts';

const project = 'tour';
const EDITS = 25;
const PATIENCE_MS = 2_000;

/** The editor's snippet in the session tier, and an edit on one instance that drops the other's copy. */
export async function editingAct(stage: Stage): Promise<void> {
  stage.printer.title('3  Editing');
  await snippets(stage);
  if (stage.b === undefined) stage.printer.note('Left out in memory: an edit on A that drops the copy of B.');
  else await edits(stage, stage.b);
}

async function snippets({ a, b, printer, verdicts }: Stage): Promise<void> {
  const session = 'editor-1';
  const snippet = { code: 'export const answer = 42;', language: 'ts' };
  const reader = b ?? a;
  const saved = await a.call('saveSnippet', { session, snippet });
  const read = await reader.call('snippet', { session });
  const loggedOut = await a.call('logout', { session });
  const after = await reader.call('snippet', { session });
  const right = saved && read?.code === snippet.code && loggedOut && after === undefined;
  const seen = read === undefined ? 'nothing' : `"${read.code}"`;
  const then = after === undefined ? 'it is gone' : 'IT IS STILL THERE';
  printer.line(
    `Session: A keeps the editor's snippet, ${reader.name} reads ${seen}; A logs out, on ${reader.name} ${then}.`,
  );
  verdicts.expect('a snippet is read everywhere, and nowhere after logout', right ? 'so it was' : then, right);
}

async function edits(stage: Stage, b: InstanceProcess): Promise<void> {
  const { a, printer, verdicts } = stage;
  const path = fileToEdit(stage);
  const dropped: number[] = [];
  let right = 0;
  for (let edit = 0; edit < EDITS; edit++) {
    const [before] = await b.call('reports', { project, paths: [path] });
    const oldHash = before?.hash ?? '';
    await b.call('watch', { project, path, oldHash, timeoutMs: PATIENCE_MS });
    await stage.edits.edit(path);
    const saved = await a.call('save', { project, path });
    const seen = await b.call('watched', undefined);
    if (seen.droppedAtMs !== undefined) dropped.push(seen.droppedAtMs - saved.storedAtMs);
    if (saved.stored && seen.droppedAtMs !== undefined && seen.hash === saved.hash) right++;
  }
  await stage.edits.undo();
  await a.call('save', { project, path });
  const { longest } = latencies(dropped.map((ms) => Math.max(0, ms)));
  const earlier = dropped.filter((ms) => ms <= 0).length;
  printer.line(`Project: A saves ${EDITS} edits of a copy of ${path}. B drops what it holds of the file`);
  const late = longest === 0 ? 'never after it' : `at most ${duration(longest)} after it`;
  printer.line(`${earlier} times before A's set has even resolved, otherwise ${late}.`);
  verdicts.expect('B sees every edit of A', `${right} of ${EDITS}, ${late}`, right === EDITS);
}

/** The one of median size. */
export function fileToEdit({ editable }: Stage): string {
  return editable[Math.floor(editable.length / 2)] ?? '';
}
