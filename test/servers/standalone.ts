import { attempts } from './attempts.ts';
import { freePort } from './ports.ts';
import { RedisProcess } from './process.ts';

export interface StandaloneRedis {
  /** Without a user and password, whatever the arguments say. */
  readonly url: string;
  readonly port: number;
  /** Freezes and thaws (SIGSTOP, SIGCONT), kills (SIGKILL) and restarts the server. */
  readonly process: RedisProcess;
  /** Ends the server and removes its files; may be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a redis-server without persistence on a free loopback port. `args` are its command-line options and win over
 * the defaults here, all but the port, address and folder:
 *
 * - a password: `['--requirepass', secret]`
 * - TLS, at a second port: `['--tls-port', String(await freePort()), '--tls-cert-file', ..., '--tls-key-file', ...,
 *   '--tls-ca-cert-file', ..., '--tls-auth-clients', 'no']`
 * - a limit: `['--maxmemory', '16mb', '--maxmemory-policy', 'allkeys-lru']`
 * - slow loading: `['--key-load-delay', '50', '--loading-process-events-interval-bytes', '1024']`
 */
export async function startRedis(args: readonly string[] = []): Promise<StandaloneRedis> {
  return attempts(async () => {
    const server = new RedisProcess(await freePort(), ['--save', '', '--appendonly', 'no', ...args]);
    try {
      await server.start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return {
      url: `redis://${server.host}:${server.port}`,
      port: server.port,
      process: server,
      stop: () => server.stop(),
    };
  });
}
