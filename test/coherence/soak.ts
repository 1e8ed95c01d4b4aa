// npm run soak:coherence -- --seconds 60 --seed 7 --topology cluster
import { parseArgs } from 'node:util';
import { runCoherence } from './run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    topology: { type: 'string', default: 'standalone' },
    processes: { type: 'string', default: '3' },
    sabotage: { type: 'string' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const topology = values.topology === 'cluster' ? 'cluster' : 'standalone';
say(`coherence on ${topology}, seed ${values.seed}, ${values.seconds} s`);
const report = await runCoherence({
  topology,
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  processes: Number(values.processes),
  ...(values.sabotage === 'token' || values.sabotage === 'flush' || values.sabotage === 'tags'
    ? { sabotage: values.sabotage }
    : {}),
  onRound: say,
});
for (const { read, overwrittenBy } of report.stale.slice(0, 20)) {
  say(`stale: ${read.by} read ${read.key} = ${read.value} at ${read.startMs}, changed at ${overwrittenBy.endMs}`);
}
for (const line of report.different.slice(0, 20)) say(line);
say(`${report.stale.length} stale reads, ${report.different.length} differences at rest, ${report.reads} reads`);
process.exitCode = report.stale.length + report.different.length === 0 ? 0 : 1;
