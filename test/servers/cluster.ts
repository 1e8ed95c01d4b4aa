import { ask, until } from './ask.ts';
import { attempts } from './attempts.ts';
import { freePort } from './ports.ts';
import { RedisProcess } from './process.ts';
import { startProxy, type Proxy } from './proxy.ts';

const masters = 3;
const slots = 16_384;
const busOffset = 10_000;

export interface ClusterOptions {
  /** Puts a proxy in front of every node and lets the nodes announce it; the bus between the nodes stays direct. */
  readonly proxied?: boolean;
}

export interface RedisCluster {
  /** Where clients connect: the proxies, if there are any. The first three start as masters. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** One per entry of `nodes`: freeze, kill (`end`) and restart (`start`) them at will. */
  readonly processes: readonly RedisProcess[];
  /** One per entry of `nodes`, or none. */
  readonly proxies: readonly Proxy[];
  /** The index in `nodes` of the master that the running nodes agree on for a key or a slot number. */
  masterOf(keyOrSlot: string | number): Promise<number>;
  /** The index of the node that replicates the master of a key or slot. */
  replicaOf(keyOrSlot: string | number): Promise<number>;
  /** Waits until every running node finds the whole cluster healthy and every running replica follows its master. */
  healthy(withinMs?: number): Promise<void>;
  /** Ends all nodes and removes their files; may be called again. */
  stop(): Promise<void>;
}

/** Starts a Redis Cluster of three masters with a replica each on free loopback ports, in about two seconds. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  return attempts(async () => {
    const cluster = new LocalCluster();
    try {
      await cluster.start(options.proxied === true);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  });
}

class LocalCluster implements RedisCluster {
  readonly processes: RedisProcess[] = [];
  readonly proxies: Proxy[] = [];

  get nodes(): readonly { readonly host: string; readonly port: number }[] {
    return this.proxies.length > 0 ? this.proxies : this.processes;
  }

  async start(proxied: boolean): Promise<void> {
    for (let i = 0; i < 2 * masters; i++) {
      const port = await freePort(busOffset);
      const proxy = proxied ? await startProxy({ target: { port } }) : undefined;
      if (proxy !== undefined) this.proxies.push(proxy);
      this.processes.push(new RedisProcess(port, nodeArguments(proxy?.port ?? port)));
    }
    await Promise.all(this.processes.map((node) => node.start()));
    const ids = await Promise.all(this.processes.map(async (node) => String(await ask(node.port, 'CLUSTER', 'MYID'))));
    await Promise.all(this.processes.map((node, i) => this.#introduce(node, i)));
    await Promise.all(
      this.processes.slice(masters).map((replica, i) =>
        until(`replica ${i} knows its master`, async () => {
          await ask(replica.port, 'CLUSTER', 'REPLICATE', ids[i] ?? '');
          return true;
        }),
      ),
    );
    await this.healthy();
  }

  async #introduce(node: RedisProcess, index: number): Promise<void> {
    if (index < masters) {
      const owned = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => ownerOf(slot) === index);
      await ask(node.port, 'CLUSTER', 'ADDSLOTS', ...owned);
    }
    await ask(node.port, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    const first = this.processes[0];
    if (first === undefined || first === node) return;
    await ask(node.port, 'CLUSTER', 'MEET', first.host, this.nodes[0]?.port ?? 0, first.port + busOffset);
  }

  async masterOf(keyOrSlot: string | number): Promise<number> {
    return this.#nodeOf(keyOrSlot, 0);
  }

  async replicaOf(keyOrSlot: string | number): Promise<number> {
    return this.#nodeOf(keyOrSlot, 1);
  }

  async #nodeOf(keyOrSlot: string | number, place: 0 | 1): Promise<number> {
    const any = this.#running()[0]?.port ?? 0;
    const slot = typeof keyOrSlot === 'number' ? keyOrSlot : Number(await ask(any, 'CLUSTER', 'KEYSLOT', keyOrSlot));
    let ports: (number | undefined)[] = [];
    await until(`the nodes agree on slot ${slot}`, async () => {
      ports = await Promise.all(this.#running().map((node) => portAt(node, slot, place)));
      return ports[0] !== undefined && new Set(ports).size === 1;
    });
    return this.nodes.findIndex(({ port }) => port === ports[0]);
  }

  async healthy(withinMs = 15_000): Promise<void> {
    const known = `cluster_known_nodes:${2 * masters}`;
    await until(
      'a healthy cluster',
      async () => {
        const states = await Promise.all(
          this.#running().map(async ({ port }) => [
            String(await ask(port, 'CLUSTER', 'INFO')),
            String(await ask(port, 'INFO', 'replication')),
          ]),
        );
        return states.every(
          ([info = '', replication = '']) =>
            info.includes('cluster_state:ok') &&
            info.includes(known) &&
            !replication.includes('master_link_status:down'),
        );
      },
      withinMs,
    );
  }

  /** Those that run and are not frozen; a frozen one costs its asker a second. */
  #running(): readonly RedisProcess[] {
    return this.processes.filter((node) => node.running && !node.frozen);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.processes, ...this.proxies].map((part) => part.stop()));
  }
}

function nodeArguments(announcedPort: number): string[] {
  return [
    ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0'],
    ['--cluster-announce-ip', '127.0.0.1', '--cluster-announce-port', String(announcedPort)],
    [
      '--repl-diskless-sync',
      'yes',
      '--repl-diskless-sync-delay',
      '0',
      '--repl-ping-replica-period',
      '1',
      '--save',
      '',
      '--appendonly',
      'no',
    ],
  ].flat();
}

const ownerOf = (slot: number): number => Math.floor((slot * masters) / slots);

type SlotRange = [first: number, last: number, ...nodes: [host: string, port: number][]];

async function portAt(node: RedisProcess, slot: number, place: number): Promise<number | undefined> {
  const ranges = (await ask(node.port, 'CLUSTER', 'SLOTS')) as SlotRange[];
  const range = ranges.find(([first, last]) => first <= slot && slot <= last);
  return (range?.slice(2)[place] as [string, number] | undefined)?.[1];
}
