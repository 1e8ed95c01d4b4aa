import type { RedisOptions } from '@tierkit/redis';
import {
  startCluster,
  startProxy,
  startRedis,
  startSentinel,
  type Proxy,
  type RedisProcess,
} from '../servers/index.ts';

export const topologies = ['standalone', 'sentinel', 'cluster'] as const;
export type Topology = (typeof topologies)[number];

/** What happens, and to what: all processes, or the one master that serves the key. */
export const faults = {
  absent: 'nothing runs when the connection is made',
  stopped: 'all stopped by SIGTERM',
  killed: 'master killed by SIGKILL',
  frozen: 'master frozen by SIGSTOP',
  'all frozen': 'all frozen by SIGSTOP',
  'half-open': 'link to the master swallows everything',
} as const;
export type Fault = keyof typeof faults;

/** A single server is its own master: frozen, it is as good as all frozen. */
export const happensTo = (fault: Fault, topology: Topology): boolean =>
  topology !== 'standalone' || fault !== 'all frozen';

/** A Redis of some topology in which a fault can be caused and repaired. */
export interface FaultyRedis {
  readonly options: RedisOptions;
  /** The key that the faulty master serves. */
  readonly key: string;
  cause(fault: Fault): Promise<void>;
  repair(fault: Fault): Promise<void>;
  stop(): Promise<void>;
}

interface Parts {
  readonly options: RedisOptions;
  readonly all: readonly RedisProcess[];
  readonly master: RedisProcess;
  /** In front of the master, where one was asked for. */
  readonly proxy: Proxy | undefined;
  readonly stop: () => Promise<void>;
}

const key = 'fault:key';

const starters: Readonly<Record<Topology, (proxied: boolean) => Promise<Parts>>> = {
  async standalone(proxied) {
    const redis = await startRedis();
    const proxy = proxied ? await startProxy({ target: { port: redis.port } }) : undefined;
    return {
      options: { url: (proxy ?? redis).url },
      all: [redis.process],
      master: redis.process,
      proxy,
      stop: async () => {
        await Promise.all([redis.stop(), proxy?.stop()]);
      },
    };
  },
  async sentinel(proxied) {
    const group = await startSentinel({ proxied });
    return {
      options: { sentinels: group.sentinels.map(({ host, port }) => ({ host, port })), name: group.name },
      all: [...group.processes, ...group.sentinelProcesses],
      master: group.processes[0],
      proxy: group.proxies[0],
      stop: () => group.stop(),
    };
  },
  async cluster(proxied) {
    const cluster = await startCluster({ proxied });
    const index = await cluster.masterOf(key);
    const master = cluster.processes[index];
    if (master === undefined) throw new Error('no master for the key');
    return {
      options: { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) },
      all: cluster.processes,
      master,
      proxy: cluster.proxies[index],
      stop: () => cluster.stop(),
    };
  },
};

/** Starts servers of their own for one fault. */
export async function startFaultyRedis(topology: Topology, fault: Fault): Promise<FaultyRedis> {
  const parts = await starters[topology](fault === 'half-open');
  const { all, master, proxy } = parts;
  const causes: Readonly<Record<Fault, readonly [cause: () => unknown, repair: () => unknown]>> = {
    absent: [() => end(all), () => start(all)],
    stopped: [() => end(all), () => start(all)],
    killed: [() => master.end('SIGKILL'), () => master.start()],
    frozen: [() => master.signal('SIGSTOP'), () => master.signal('SIGCONT')],
    'all frozen': [() => signal(all, 'SIGSTOP'), () => signal(all, 'SIGCONT')],
    'half-open': [() => proxy?.drop(), () => proxy?.normal()],
  };
  return {
    options: parts.options,
    key,
    cause: async (fault) => {
      await causes[fault][0]();
    },
    repair: async (fault) => {
      await causes[fault][1]();
    },
    stop: parts.stop,
  };
}

const end = (all: readonly RedisProcess[]): Promise<unknown> => Promise.all(all.map((one) => one.end('SIGTERM')));
const start = (all: readonly RedisProcess[]): Promise<unknown> => Promise.all(all.map((one) => one.start()));
const signal = (all: readonly RedisProcess[], name: NodeJS.Signals): void => {
  for (const one of all) one.signal(name);
};
