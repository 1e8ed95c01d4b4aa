// npm run soak:write-behind -- --writes 1000000 --kills 200 --seed 7
import { parseArgs } from 'node:util';
import { runWriteBehind } from './run.ts';

const { values } = parseArgs({
  options: {
    writes: { type: 'string', default: '400000' },
    kills: { type: 'string', default: '60' },
    'redis-kills': { type: 'string', default: '15' },
    processes: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`write-behind, seed ${values.seed}`);
const report = await runWriteBehind({
  seed: Number(values.seed),
  processes: Number(values.processes),
  writes: Number(values.writes),
  kills: Number(values.kills),
  redisKills: Number(values['redis-kills']),
  onEvent: say,
});
say(
  JSON.stringify({ ...report, lost: report.lost.slice(0, 20), different: report.different.slice(0, 20) }, undefined, 2),
);
process.exitCode = report.lost.length + report.different.length + report.backwards === 0 ? 0 : 1;
