import { watch, type FSWatcher } from 'node:fs';
import { sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceProcess } from './instance/instance-process.ts';
import type { Reading } from './instance/operations.ts';
import { listSources } from './source-folder.ts';
import { duration, latencies } from './stage/latencies.ts';
import type { Stage } from './stage/stage.ts';

const ROUND_MS = 2_000;
const GLANCE_MS = 100;
const project = 'live';

/** Goes on until it is stopped: every round one instance analyses the folder, and an edit of a file is told from A to B. */
export async function liveView(stage: Stage, signal: AbortSignal): Promise<void> {
  const { a, b, instances, printer, sources } = stage;
  printer.title('Live: edit a file in the folder and see who answers; Ctrl-C ends');
  const edited = new Set<string>();
  const watcher = watchFolder(sources.root, (path) => edited.add(path));
  if (watcher === undefined) printer.note('This folder cannot be watched; edits show up as loads.');
  signal.addEventListener('abort', () => watcher?.close(), { once: true });

  for (let round = 0; !signal.aborted; round++) {
    const { files } = await listSources(sources.root);
    const paths = files.map(({ path }) => path);
    for (const path of edited) if (paths.includes(path)) await tellEdit(stage, a, b, path);
    edited.clear();
    const instance = instances[round % instances.length] ?? a;
    try {
      const shown = await describeRound(instance, paths);
      // Both hold the newest reports, so that an edit has something to drop.
      for (const each of instances) await each.call('reports', { project, paths });
      printer.status(shown);
    } catch (error) {
      // A file can go away between being listed and being read; the next round lists anew.
      printer.status(error instanceof Error ? error.message : String(error));
    }
    await pause(() => signal.aborted || edited.size > 0);
  }
}

/** Until the next round is due, or something has happened. */
async function pause(interrupted: () => boolean): Promise<void> {
  const due = performance.now() + ROUND_MS;
  while (performance.now() < due && !interrupted()) await sleep(GLANCE_MS);
}

async function describeRound(instance: InstanceProcess, paths: readonly string[]): Promise<string> {
  const readings = await instance.call('analyse', { project, paths });
  const connected = await instance.call('connected', undefined);
  const count = (by: Reading['by']): number => readings.filter((reading) => reading.by === by).length;
  const { p50, p99 } = latencies(readings.map(({ ms }) => ms));
  const tiers = `L1 ${count('L1')}, ${connected ? 'L2' : 'stale'} ${count('L2')}, loads ${count('load')}`;
  const health = connected ? '' : '; Redis does not answer';
  return `${now()}  ${instance.name}: ${readings.length} files: ${tiers}; p50 ${duration(p50)}, p99 ${duration(p99)}${health}`;
}

async function tellEdit(
  { printer }: Stage,
  a: InstanceProcess,
  b: InstanceProcess | undefined,
  path: string,
): Promise<void> {
  const [held] = (await b?.call('reports', { project, paths: [path] })) ?? [];
  await b?.call('watch', { project, path, oldHash: held?.hash ?? '', timeoutMs: ROUND_MS });
  const saved = await a.call('save', { project, path });
  const stored = saved.stored ? `stored in ${duration(saved.storeMs)}` : 'not stored, Redis does not answer';
  printer.line(`${now()}  edited ${path}: ${stored}${await outcome(b, saved.storedAtMs, held?.hash === saved.hash)}`);
}

async function outcome(b: InstanceProcess | undefined, storedAtMs: number, unchanged: boolean): Promise<string> {
  if (b === undefined || unchanged) return '';
  const { droppedAtMs } = await b.call('watched', undefined);
  if (droppedAtMs === undefined) return '; B keeps the old version';
  const after = droppedAtMs - storedAtMs;
  return after <= 0
    ? '; B dropped its copy before that was confirmed'
    : `; B dropped its copy ${duration(after)} later`;
}

function watchFolder(root: string, onEdit: (path: string) => void): FSWatcher | undefined {
  try {
    const watcher = watch(root, { recursive: true }, (_event, path) => {
      if (path !== null) onEdit(path.split(sep).join('/'));
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

function now(): string {
  return new Date().toLocaleTimeString('en-GB');
}
