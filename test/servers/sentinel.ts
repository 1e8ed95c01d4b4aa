import { randomBytes } from 'node:crypto';
import { ask, until } from './ask.ts';
import { attempts } from './attempts.ts';
import { freePort } from './ports.ts';
import { RedisProcess } from './process.ts';
import { startProxy, type Proxy } from './proxy.ts';

export interface SentinelOptions {
  /** Puts a proxy in front of both servers and lets them announce it, so Sentinel too sees the servers through it. */
  readonly proxied?: boolean;
}

export interface RedisSentinel {
  /** The name that the sentinels know the master by. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** One per entry of `sentinels`. */
  readonly sentinelProcesses: readonly RedisProcess[];
  /** The servers; the first one starts as the master. Freeze, kill (`end`) and restart (`start`) them at will. */
  readonly processes: readonly [RedisProcess, RedisProcess];
  /** One per server, or none. */
  readonly proxies: readonly Proxy[];
  /** The index in `processes` of the master that all running sentinels agree on. */
  master(): Promise<number>;
  /**
   * Has the sentinels promote the replica of a healthy pair, and waits until all of them know. The old master goes on as
   * a master that clients can write to: Sentinel makes it a replica only 10 s later.
   */
  failover(): Promise<void>;
  /** Waits until the sentinels agree on a running master that has a running replica in sync. */
  healthy(withinMs?: number): Promise<void>;
  /** Ends all processes and removes their files; may be called again. */
  stop(): Promise<void>;
}

/** Starts a master, a replica and three sentinels with a quorum of two on free loopback ports. */
export async function startSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  return attempts(async () => {
    const group = await LocalSentinel.plan(options.proxied === true);
    try {
      await group.start();
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  });
}

class LocalSentinel implements RedisSentinel {
  readonly name = 'tierkit';
  readonly proxies: readonly Proxy[];
  readonly processes: readonly [RedisProcess, RedisProcess];
  readonly sentinelProcesses: readonly RedisProcess[];

  static async plan(proxied: boolean): Promise<LocalSentinel> {
    const ports = [await freePort(), await freePort()] as const;
    const proxies = proxied ? await Promise.all(ports.map((port) => startProxy({ target: { port } }))) : [];
    const sentinelPorts = [await freePort(), await freePort(), await freePort()];
    return new LocalSentinel(ports, proxies, sentinelPorts);
  }

  private constructor(ports: readonly [number, number], proxies: readonly Proxy[], sentinelPorts: readonly number[]) {
    this.proxies = proxies;
    const announced = ports.map((port, i) => proxies[i]?.port ?? port) as [number, number];
    const server = (index: 0 | 1, ...more: string[]): RedisProcess =>
      new RedisProcess(ports[index], [], {
        config: [
          'save ""',
          'repl-diskless-sync yes',
          'repl-diskless-sync-delay 0',
          `replica-announce-ip 127.0.0.1`,
          `replica-announce-port ${announced[index]}`,
          ...more,
        ],
      });
    this.processes = [server(0), server(1, `replicaof 127.0.0.1 ${announced[0]}`)];
    // Sentinels find each other through the master within seconds; told beforehand, they are ready at once.
    const known = sentinelPorts.map((port) => ({ port, id: randomBytes(20).toString('hex') }));
    this.sentinelProcesses = known.map(
      (self) =>
        new RedisProcess(self.port, ['--sentinel'], {
          config: [
            `sentinel myid ${self.id}`,
            `sentinel monitor ${this.name} 127.0.0.1 ${announced[0]} 2`,
            `sentinel down-after-milliseconds ${this.name} 1000`,
            `sentinel failover-timeout ${this.name} 3000`,
            `sentinel known-replica ${this.name} 127.0.0.1 ${announced[1]}`,
            ...known
              .filter((other) => other !== self)
              .map(({ port, id }) => `sentinel known-sentinel ${this.name} 127.0.0.1 ${port} ${id}`),
          ],
        }),
    );
  }

  get sentinels(): readonly { readonly host: string; readonly port: number }[] {
    return this.sentinelProcesses;
  }

  async start(): Promise<void> {
    await Promise.all(this.processes.map((server) => server.start()));
    await until('the replica follows', () => this.#follows(1));
    await Promise.all(this.sentinelProcesses.map((sentinel) => sentinel.start()));
    await this.healthy();
  }

  async master(): Promise<number> {
    let ports: number[] = [];
    await until('the sentinels agree on a master', async () => {
      ports = await Promise.all(this.#running().map(async ({ port }) => this.#masterPort(port)));
      return ports.length > 0 && new Set(ports).size === 1;
    });
    const addresses = this.proxies.length > 0 ? this.proxies : this.processes;
    return addresses.findIndex(({ port }) => port === ports[0]);
  }

  async failover(): Promise<void> {
    const before = await this.master();
    await until('a failover begins', async () => {
      await ask(this.#running()[0]?.port ?? 0, 'SENTINEL', 'FAILOVER', this.name);
      return true;
    });
    await until('the sentinels know the new master', async () => (await this.master()) !== before);
  }

  async healthy(withinMs = 30_000): Promise<void> {
    await until(
      'a healthy master and replica',
      async () => {
        if (!(await this.#follows(1 - (await this.master())))) return false;
        const answers = this.#running().map(async ({ port }) => {
          await ask(port, 'SENTINEL', 'CKQUORUM', this.name);
          const [replica = []] = (await ask(port, 'SENTINEL', 'REPLICAS', this.name)) as string[][];
          return field(replica, 'flags') === 'slave' && field(replica, 'info-refresh') !== '0';
        });
        return !(await Promise.all(answers)).includes(false);
      },
      withinMs,
    );
  }

  async #follows(index: number): Promise<boolean> {
    const info = String(await ask(this.processes[index]?.port ?? 0, 'INFO', 'replication'));
    return info.includes('role:slave') && info.includes('master_link_status:up');
  }

  async #masterPort(sentinelPort: number): Promise<number> {
    const address = (await ask(sentinelPort, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name)) as [string, string];
    return Number(address[1]);
  }

  #running(): readonly RedisProcess[] {
    return this.sentinelProcesses.filter((sentinel) => sentinel.running && !sentinel.frozen);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinelProcesses, ...this.processes, ...this.proxies].map((part) => part.stop()));
  }
}

/** One value of a Sentinel reply that lists names and values in turn. */
function field(fields: readonly string[], name: string): string | undefined {
  return fields[fields.indexOf(name) + 1];
}
