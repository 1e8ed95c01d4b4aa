import type { Stage } from '../stage/stage.ts';

const PROJECT = 'measured';
const ROUNDS = 20;

/** Both instances write the same metrics over and over; Postgres gets each file's last ones, in batches. */
export async function metricsAct({ a, instances, editable, printer, verdicts }: Stage): Promise<void> {
  printer.title('Metrics written behind: acknowledged by Redis, in Postgres a moment later');
  const paths = editable.slice(0, 50);
  const perInstance = await Promise.all(
    instances.map((instance) => instance.call('writeMetrics', { project: PROJECT, paths, rounds: ROUNDS })),
  );
  const written = perInstance.flat();
  const last = new Map<string, number>();
  for (const { path, version } of written) last.set(path, Math.max(version, last.get(path) ?? 0));
  const readable = await instances.at(-1)?.call('readMetrics', { project: PROJECT, paths, rounds: ROUNDS });
  const { versions, drained, deadLetters, batches, place } = await a.call('metricsInPostgres', { project: PROJECT });

  const times = written.map(({ ms }) => ms).sort((x, y) => x - y);
  printer.table([
    ['writes', 'files', 'acknowledged, median', 'batches', 'where'],
    [written.length, paths.length, `${(times[Math.floor(times.length / 2)] ?? 0).toFixed(2)} ms`, batches, place],
  ]);
  const right = paths.filter((path) => versions[path] === last.get(path));
  verdicts.expect(
    'Postgres has the last acknowledged metrics of every file',
    `${right.length} of ${paths.length}`,
    right.length === paths.length && drained && deadLetters === 0,
  );
  verdicts.expect(
    'the last instance reads the metrics of the last round',
    `${readable ?? 0} of ${paths.length}`,
    readable === paths.length,
  );
}
