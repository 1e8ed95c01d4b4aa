import { Redis } from 'ioredis';
import { ask, startProxy, startRedis, until, type Proxy, type StandaloneRedis } from '../servers/index.ts';

/** What happens to the one Redis of a cache, for some seconds. */
export const cacheFaults = {
  stopped: 'stopped by SIGTERM',
  killed: 'killed by SIGKILL',
  frozen: 'frozen by SIGSTOP',
  'half-open': 'link swallows everything',
  slow: 'link takes 400 ms there and back',
  lagging: 'link takes 20 ms there and back',
  'out of memory': 'maxmemory reached, noeviction',
  'read-only': 'made a replica whose master is away',
  loading: 'loads its data: -LOADING',
} as const;
export type CacheFault = keyof typeof cacheFaults;

export interface CacheUnderFault {
  /** Through what becomes faulty. */
  readonly url: string;
  cause(): Promise<void>;
  repair(): Promise<void>;
  stop(): Promise<void>;
}

/** 1 ms a key: with these it loads for longer than the fault is looked at. */
const KEYS_TO_LOAD = 4_000;
const ARGS = ['--enable-debug-command', 'local', '--loading-process-events-interval-bytes', '1024'];

export async function startCacheUnderFault(fault: CacheFault): Promise<CacheUnderFault> {
  const server = await startRedis(ARGS);
  const proxy = await startProxy({ target: { port: server.port } });
  const [cause, repair] = steps(server, proxy)[fault];
  return {
    url: proxy.url,
    cause: async () => void (await cause()),
    repair: async () => void (await repair()),
    stop: async () => {
      await Promise.all([proxy.stop(), server.stop()]);
    },
  };
}

type Steps = Readonly<Record<CacheFault, readonly [cause: () => unknown, repair: () => unknown]>>;

function steps({ port, process }: StandaloneRedis, proxy: Proxy): Steps {
  const set = (name: string, value: string): Promise<unknown> => ask(port, 'CONFIG', 'SET', name, value);
  let reloading: Promise<unknown> | undefined;
  return {
    stopped: [() => process.end('SIGTERM'), () => process.start()],
    killed: [() => process.end('SIGKILL'), () => process.start()],
    frozen: [() => process.signal('SIGSTOP'), () => process.signal('SIGCONT')],
    'half-open': [() => proxy.drop(), () => proxy.normal()],
    slow: [() => proxy.latency(200), () => proxy.normal()],
    lagging: [() => proxy.latency(10), () => proxy.normal()],
    'out of memory': [() => set('maxmemory', '1'), () => set('maxmemory', '0')],
    'read-only': [() => ask(port, 'REPLICAOF', '127.0.0.1', '1'), () => ask(port, 'REPLICAOF', 'NO', 'ONE')],
    loading: [
      async () => {
        await ask(port, 'DEBUG', 'POPULATE', KEYS_TO_LOAD);
        await set('key-load-delay', '1000');
        reloading = reload(port);
        await until('it loads', async () => String(await ask(port, 'GET', 'k').catch(String)).includes('LOADING'));
      },
      () => reloading,
    ],
  };
}

async function reload(port: number): Promise<void> {
  const redis = new Redis({ port, protocol: 2, retryStrategy: () => null });
  try {
    await redis.call('DEBUG', 'RELOAD');
  } finally {
    redis.disconnect();
  }
}
