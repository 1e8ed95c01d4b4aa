import type { Reading } from '../instance/operations.ts';
import { duration, latencies, percent } from '../stage/latencies.ts';
import type { Stage } from '../stage/stage.ts';

/** Smaller files take so short to analyse that they need no cache. */
const JUDGED_FROM_BYTES = 2_048;
const project = 'tour';

/** Every file analysed without a cache, then with it: cold, warm, and by the other instance. */
export async function baselineAct({ a, b, paths, sources, printer, verdicts }: Stage): Promise<void> {
  printer.title('1  Baseline against cached: every file analysed, times without reading it');
  // The first round warms up the compiler of both, so that it does not flatter the cache.
  for (const instance of b === undefined ? [a] : [a, b]) await instance.call('loadTimes', { paths });
  const loads = await a.call('loadTimes', { paths });
  const cold = await a.call('analyse', { project, paths });
  const warm = await a.call('analyse', { project, paths });
  const fromRedis = await b?.call('analyse', { project, paths });
  const warmToo = await b?.call('analyse', { project, paths });

  printer.table([
    ['pass', 'p50', 'p99', 'all files', 'loads', 'L2 hits', 'L1 hits', 'hit rate'],
    row(
      'A without cache',
      loads.map((ms) => ({ by: 'load', ms })),
    ),
    row('A cold', cold),
    row('A warm', warm),
    ...(fromRedis === undefined ? [] : [row("B cold, on A's work", fromRedis)]),
    ...(warmToo === undefined ? [] : [row('B warm', warmToo)]),
  ]);

  printer.note('The cold pass of A also stores every report; its times include that.');

  const judged = warm.flatMap(({ by, ms }, index) => {
    const long = (sources.files[index]?.bytes ?? 0) >= JUDGED_FROM_BYTES;
    return by === 'L1' && long ? [{ hit: ms, load: loads[index] ?? 0 }] : [];
  });
  const hit = latencies(judged.map((each) => each.hit)).p50;
  const load = latencies(judged.map((each) => each.load)).p50;
  verdicts.expect(
    'a hit at least 90 % faster than the analysis it saves',
    judged.length === 0
      ? 'only tiny files'
      : `${duration(hit)} for ${duration(load)}: ${percent(1 - hit / load)} faster`,
    judged.length === 0 ? undefined : hit <= load * 0.1,
  );
  const again = count(warm, 'load');
  verdicts.expect('nothing is analysed twice on A', `${again} of ${paths.length} loads`, again === 0);
  if (fromRedis === undefined) return;
  const onB = count(fromRedis, 'load');
  verdicts.expect('B analyses nothing that A has', `${onB} of ${paths.length} loads`, onB === 0);
}

function row(name: string, readings: readonly Reading[]): (string | number)[] {
  const { p50, p99, total } = latencies(readings.map(({ ms }) => ms));
  const counts = (['load', 'L2', 'L1'] as const).map((by) => count(readings, by));
  const hits = 1 - count(readings, 'load') / readings.length;
  return [name, duration(p50), duration(p99), duration(total), ...counts, percent(hits)];
}

function count(readings: readonly Reading[], by: Reading['by']): number {
  return readings.filter((reading) => reading.by === by).length;
}
