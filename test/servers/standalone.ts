import { freePort, RedisProcess } from './process.ts';

export interface StandaloneRedis {
  readonly url: string;
  readonly port: number;
  /** Freezes and thaws (SIGSTOP, SIGCONT), kills (SIGKILL) and restarts the server. */
  readonly process: RedisProcess;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** Starts a redis-server without persistence on a free loopback port; `args` go before the fixed ones. */
export async function startRedis(args: readonly string[] = []): Promise<StandaloneRedis> {
  for (let attempt = 1; ; attempt++) {
    const server = new RedisProcess(await freePort(), ['--save', '', '--appendonly', 'no', ...args]);
    try {
      await server.start();
      return {
        url: `redis://127.0.0.1:${server.port}`,
        port: server.port,
        process: server,
        stop: () => server.dispose(),
      };
    } catch (error) {
      await server.dispose();
      if (attempt === 3) throw error;
    }
  }
}
