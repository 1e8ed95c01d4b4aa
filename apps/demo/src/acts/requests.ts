import type { InstanceProcess } from '../instance/instance-process.ts';
import type { Counters, Reading } from '../instance/operations.ts';
import { duration, latencies, percent, shares } from '../stage/latencies.ts';
import type { Stage } from '../stage/stage.ts';
import { popularity, random } from '../stage/popularity.ts';

const SEED = 20_261_121;
const BURST = 20;
const project = 'requests';

/** Requests as a service sees them: few files popular, most not, now and then an edit. Starts cold. */
export async function requestsAct({ instances, paths, editable, edits, printer, verdicts }: Stage): Promise<void> {
  const before = await counted(instances);
  const rounds = Math.ceil(Math.max(2_000, 4 * paths.length) / (BURST * instances.length));
  const next = random(SEED);
  const pick = popularity(paths, next);
  const pickToEdit = popularity(editable, next);
  const readings: Reading[] = [];
  for (let round = 0; round < rounds; round++) {
    const bursts = instances.map((instance) =>
      instance.call('reports', { project, paths: Array.from({ length: BURST }, pick) }),
    );
    readings.push(...(await Promise.all(bursts)).flat());
    const editor = instances[round % instances.length];
    const path = pickToEdit();
    await edits.edit(path);
    await editor?.call('save', { project, path });
  }
  await edits.undo();

  printer.title(
    `2  ${readings.length} requests on ${instances.length === 1 ? 'one instance' : 'both instances'} from cold, ${rounds} edits among them (Zipf, seed ${SEED})`,
  );
  const of = (by: Reading['by']): Reading[] => readings.filter((reading) => reading.by === by);
  const [l1Share = '', l2Share = '', loadShare = ''] = shares(
    (['L1', 'L2', 'load'] as const).map((by) => of(by).length),
  );
  const shareOf = { L1: l1Share, L2: l2Share, load: loadShare };
  printer.table([
    ['answered by', 'requests', 'share', 'p50', 'p99'],
    ...(['L1', 'L2', 'load'] as const).map((by) => {
      const { count, p50, p99 } = latencies(of(by).map(({ ms }) => ms));
      const share = shareOf[by];
      return count === 0 ? [by, 0, share, '-', '-'] : [by, count, share, duration(p50), duration(p99)];
    }),
  ]);
  const after = await counted(instances);
  const byKit = {
    L1: after.l1Hits - before.l1Hits,
    L2: after.l2Hits - before.l2Hits,
    load: after.loads - before.loads,
  };
  printer.line(`kit.stats() counts ${byKit.L1} L1 hits, ${byKit.L2} L2 hits and ${byKit.load} loads.`);
  const rate = 1 - of('load').length / readings.length;
  printer.line(`Hit rate ${percent(rate)}, of all requests ${l1Share} without Redis.`);
  verdicts.expect('hit rate above 70 % from cold, with edits', percent(rate), rate > 0.7);
}

async function counted(instances: readonly InstanceProcess[]): Promise<Counters> {
  const all = await Promise.all(instances.map((instance) => instance.call('counters', undefined)));
  const sum = (name: keyof Counters): number => all.reduce((total, counters) => total + counters[name], 0);
  return { l1Hits: sum('l1Hits'), l2Hits: sum('l2Hits'), loads: sum('loads') };
}
