import { createTiers, type Tiers } from '@tierkit/cache';
import type { RedisInput } from '@tierkit/redis';
import { fileURLToPath } from 'node:url';
import { sleep } from '../support/sleep.ts';
import { ask, startCluster, startProxy, startRedis, type Proxy, type RedisProcess } from '../servers/index.ts';
import { bundle } from '../support/bundle.ts';
import { staleReads, type Change, type Observation, type StaleRead } from './history.ts';
import { CALM_MS, NAMES, SCOPES, type Sabotage } from './protocol.ts';
import { seededRandom } from './random.ts';
import { WorkerProcess } from './worker-process.ts';

export interface CoherenceRun {
  readonly topology: 'standalone' | 'cluster';
  readonly seed: number;
  readonly seconds: number;
  /** Goes on until there were so many, as a Cluster may take longer than `seconds` to recover from its first round. */
  readonly least?: { readonly reads: number; readonly faults: number };
  readonly processes?: number;
  readonly sabotage?: Sabotage;
  /** Whether Redis servers are killed and started again. @default true */
  readonly restarts?: boolean;
  /** Ends the run at the first round that finds something. @default false */
  readonly untilFound?: boolean;
  readonly onRound?: (line: string) => void;
}

export interface CoherenceReport {
  readonly operations: number;
  readonly reads: number;
  readonly faults: number;
  readonly stale: readonly StaleRead[];
  /** Entries of some first level that were not what Redis had, when everything was at rest. */
  readonly different: readonly string[];
}

/** The feed is given up after this silence; what is seen as stale for longer than the bound counts. */
const FEED_TIMEOUT_MS = 600;
const BOUND_MS = 1_000;
const ROUND_MS = 2_500;
/** Before the end of a round: few enough changes follow for what was missed to last until the comparison. */
const LAST_CUT_MS = 200;

interface Backend {
  readonly redis: RedisInput;
  readonly direct: RedisInput;
  readonly servers: readonly RedisProcess[];
  /** The link between the workers and Redis, where there is one. */
  readonly link: Proxy | undefined;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs random operations in several processes while connections are cut and servers die, and counts what is stale. */
export async function runCoherence(run: CoherenceRun): Promise<CoherenceReport> {
  const random = seededRandom(run.seed);
  const program = await bundle(fileURLToPath(new URL('worker.ts', import.meta.url)));
  const backend = await start(run.topology);
  const prefix = `coherence-${run.seed}:`;
  const workers = Array.from({ length: run.processes ?? 3 }, () => new WorkerProcess(program.file));
  const truth = createTiers({ redis: backend.direct, prefix, l1: false });
  const report = { operations: 0, reads: 0, faults: 0, stale: [] as StaleRead[], different: [] as string[] };
  try {
    await truth.ready('15s');
    await Promise.all(
      workers.map((worker, index) =>
        worker.start({
          redis: backend.redis,
          prefix,
          name: `w${index}`,
          seed: run.seed * 1_000 + index,
          feedTimeoutMs: FEED_TIMEOUT_MS,
          sabotage: run.sabotage,
        }),
      ),
    );
    const endMs = performance.now() + run.seconds * 1_000;
    const { least = { reads: 0, faults: 0 } } = run;
    while (performance.now() < endMs || report.reads < least.reads || report.faults < least.faults) {
      const working = Promise.all(workers.map((worker) => worker.work(ROUND_MS)));
      const startMs = performance.now();
      report.faults += await injectFaults(backend, random, ROUND_MS - CALM_MS - 400, run.restarts ?? true);
      await sleep(startMs + ROUND_MS - LAST_CUT_MS - performance.now());
      // What is written while the feeds are being restored is what a first level that is not flushed would keep.
      for (let cuts = run.sabotage === 'flush' ? 8 : random() < 0.5 ? 4 : 0; cuts > 0; cuts--) {
        report.faults++;
        for (const server of backend.servers) await killClients(server, 'pubsub');
        await sleep(20);
      }
      const worked = await working;
      const changes: Change[] = worked.flatMap((one) => one.changes);
      const reads: Observation[] = worked.flatMap((one) => one.reads);
      report.operations += worked.reduce((sum, one) => sum + one.operations, 0);
      report.reads += reads.length;
      report.stale.push(...staleReads(changes, reads, BOUND_MS));
      await backend.settled();
      report.different.push(...(await differences(workers, truth)));
      run.onRound?.(
        `${report.operations} operations, ${report.faults} faults: ${report.stale.length} stale, ${report.different.length} different`,
      );
      if (run.untilFound === true && report.stale.length + report.different.length > 0) break;
    }
    return report;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await truth.close();
    await backend.stop();
    program.remove();
  }
}

async function differences(workers: readonly WorkerProcess[], truth: Tiers): Promise<string[]> {
  const rested = await Promise.all(workers.map((worker) => worker.rest()));
  await truth.ready('15s');
  const different: string[] = [];
  for (const scope of SCOPES) {
    const [tier = '', id = ''] = scope.split(' ');
    const cache = tier === 'session' ? truth.session(id) : tier === 'project' ? truth.project(id) : truth.global;
    const values = await cache.getMany<string>(NAMES);
    for (const [index, { served }] of rested.entries()) {
      for (const [at, name] of NAMES.entries()) {
        const kept = served[`${scope} ${name}`];
        if (kept !== undefined && kept !== values[at]) {
          different.push(`worker ${index} keeps ${scope} ${name} = ${kept}, Redis has ${values[at]}`);
        }
      }
    }
  }
  for (const [index, { state }] of rested.entries()) {
    if (state !== 'coherent') different.push(`worker ${index} did not become coherent again: ${state}`);
  }
  return different;
}

async function injectFaults(backend: Backend, random: () => number, ms: number, restarts: boolean): Promise<number> {
  const endMs = performance.now() + ms;
  let faults = 0;
  while (performance.now() < endMs) {
    await sleep(150 + random() * 350);
    const server = backend.servers[Math.floor(random() * backend.servers.length)];
    if (server === undefined) break;
    const dice = random();
    faults++;
    if (dice < 0.4) await killClients(server, 'pubsub');
    else if (dice < 0.6 && backend.link !== undefined) {
      // Long enough for commands to time out, and at times for the feed's silence to count.
      backend.link.drop();
      await sleep(350 + random() * Math.max(0, endMs - performance.now()));
      await backend.link.normal();
    } else if (dice < 0.85 || !restarts) await killClients(server, 'normal');
    else {
      await server.end('SIGKILL');
      await sleep(random() * 300);
      await server.start();
    }
  }
  return faults;
}

async function killClients(server: RedisProcess, type: 'pubsub' | 'normal'): Promise<void> {
  try {
    await ask(server.port, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  } catch {
    // A server that is starting has no clients to kill.
  }
}

async function start(topology: CoherenceRun['topology']): Promise<Backend> {
  if (topology === 'standalone') {
    const server = await startRedis();
    const link = await startProxy({ target: { port: server.port } });
    return {
      redis: link.url,
      direct: server.url,
      servers: [server.process],
      link,
      settled: async () => {},
      async stop() {
        await link.stop();
        await server.stop();
      },
    };
  }
  const cluster = await startCluster();
  const { processes, nodes } = cluster;
  return {
    redis: { cluster: nodes },
    direct: { cluster: nodes },
    link: undefined,
    servers: processes,
    settled: () => cluster.healthy(20_000),
    stop: () => cluster.stop(),
  };
}
