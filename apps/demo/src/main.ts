import { once } from 'node:events';
import { announcementsAct } from './acts/announcements.ts';
import { baselineAct } from './acts/baseline.ts';
import { editingAct } from './acts/editing.ts';
import { foundAct } from './acts/found.ts';
import { limitsAct } from './acts/limits.ts';
import { lookupAct } from './acts/lookup.ts';
import { metricsAct } from './acts/metrics.ts';
import { oneAtATimeAct } from './acts/one-at-a-time.ts';
import { outageAct } from './acts/outage.ts';
import { quotasAct } from './acts/quotas.ts';
import { requestsAct } from './acts/requests.ts';
import { readCommandLine, USAGE, UsageError } from './command-line.ts';
import { liveView } from './live-view.ts';
import { listSources } from './source-folder.ts';
import { Printer } from './stage/printer.ts';
import { findRedis, type RedisSource } from './stage/redis-source.ts';
import { Stage } from './stage/stage.ts';
import { openPages } from './web/open-pages.ts';

const ACTS = [
  baselineAct,
  requestsAct,
  editingAct,
  lookupAct,
  outageAct,
  limitsAct,
  quotasAct,
  announcementsAct,
  oneAtATimeAct,
  metricsAct,
  foundAct,
] as const;
const stop = new AbortController();
let live = false;

// `npm run` passes on what the terminal has sent already, so a signal may come twice.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
// Whoever reads the output has gone, as in `| head`.
process.stdout.on('error', () => stop.abort());

async function demo(args: readonly string[]): Promise<number> {
  const { folder, once, live: always, help } = await readCommandLine(args);
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const sources = await listSources(folder);
  if (sources.files.length === 0) throw new UsageError(`no JavaScript or TypeScript in ${folder}`);
  const printer = new Printer(process.stdout, process.env);
  const redis = await findRedis(process.env);
  const stage = new Stage(sources, redis, printer);
  try {
    // Nobody would end a live view that goes into a file.
    const onlyOnce = once || (!always && !process.stdout.isTTY);
    const code = await Promise.race([play(stage, onlyOnce), stopped()]);
    if (stop.signal.aborted) printer.end(live ? 'Ended.' : 'Interrupted.');
    return code;
  } finally {
    await stage[Symbol.asyncDispose]();
  }
}

/** Resolves to the exit code of a run that was interrupted; only the live view is meant to be. */
async function stopped(): Promise<number> {
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  return live ? 0 : 130;
}

async function play(stage: Stage, onlyOnce: boolean): Promise<number> {
  const { printer, verdicts } = stage;
  printer.title(`tierkit demo: a code-analysis service on ${stage.sources.root}`);
  for (const line of introduction(stage.redis)) printer.line(line);
  await stage.start();
  for (const act of ACTS) {
    if (stop.signal.aborted) return 130;
    await act(stage);
  }
  verdicts.print(printer);
  if (!onlyOnce) {
    await openPages(stage);
    live = true;
    await liveView(stage, stop.signal);
  }
  return verdicts.failed.length === 0 ? 0 : 1;
}

function introduction(redis: RedisSource): readonly string[] {
  if (redis.kind === 'private')
    return [`Instances A and B are two processes; Redis is the demo's own, at port ${redis.server.port}.`];
  if (redis.kind === 'given')
    return [
      `Instances A and B are two processes on the Redis at ${redis.place} (REDIS_URL).`,
      "Left out: act 5, because this Redis is not the demo's to stop. Without REDIS_URL the demo starts its own.",
    ];
  return [
    'No REDIS_URL and no redis-server on the PATH: one instance, in memory.',
    'Left out: the second instance, L2, invalidation between processes, Redis stopping and returning.',
  ];
}

try {
  process.exitCode = await demo(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
