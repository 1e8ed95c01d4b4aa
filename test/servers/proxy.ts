import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.ts';
import { noFaults, ProxiedConnection, type Direction, type Faults } from './proxied-connection.ts';

export interface ProxyOptions {
  readonly target: { readonly host?: string; readonly port: number };
  /** Where it listens. @default '127.0.0.1' */
  readonly host?: string;
}

/**
 * A TCP link that can be made to fail. Each fault holds for connections old and new until `normal()`, and faults may be
 * combined.
 */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Client connections that are open now. */
  readonly connections: number;
  /** Client connections ever accepted. */
  readonly accepted: number;
  /** Every piece of data arrives `ms` later, each way. */
  latency(ms: number): void;
  /**
   * Half-open: nothing arrives in the given direction, neither data nor the end of a connection, and nobody is told.
   * `normal()` resets the connections that lost something, as a host does that has forgotten them.
   */
  drop(direction?: Direction): void;
  /** A partition: as `drop` both ways, but what was sent meanwhile arrives on `normal()`. */
  hold(): void;
  /** Data arrives in pieces of `bytes`, each an event of its own for a receiver that keeps up. */
  slice(bytes: number): void;
  /** Once: resets the connection that receives the reply bytes after the next `bytes`, cutting that reply short. */
  resetAfter(bytes: number): void;
  /** Resets all connections that are open now. */
  cut(): void;
  /** New connections are refused; those that are open stay. */
  refuse(): void;
  /** Ends all faults. */
  normal(): Promise<void>;
  /** Cuts all connections and frees the port; may be called again. */
  stop(): Promise<void>;
}

/** Starts a proxy in front of a server that need not be there yet. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const proxy = new TcpProxy(options, await freePort());
  await proxy.normal();
  return proxy;
}

class TcpProxy implements Proxy {
  readonly host: string;
  readonly port: number;
  accepted = 0;
  readonly #target: ProxyOptions['target'];
  readonly #open = new Set<ProxiedConnection>();
  readonly #faults: Faults = { ...noFaults };
  #server: Server | undefined;

  constructor(options: ProxyOptions, port: number) {
    this.host = options.host ?? '127.0.0.1';
    this.port = port;
    this.#target = options.target;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  get connections(): number {
    return [...this.#open].filter((connection) => connection.clientOpen).length;
  }

  latency(ms: number): void {
    this.#faults.latencyMs = ms;
  }

  drop(direction: Direction = 'both'): void {
    this.#faults.drop = direction;
  }

  hold(): void {
    this.#faults.hold = true;
  }

  slice(bytes: number): void {
    this.#faults.sliceBytes = bytes;
  }

  resetAfter(bytes: number): void {
    this.#faults.resetAfter = bytes;
  }

  cut(): void {
    for (const connection of this.#open) connection.reset();
  }

  refuse(): void {
    const server = this.#server;
    this.#server = undefined;
    // Stops listening at once; `close` would be told only when the last connection is gone.
    server?.close();
  }

  async normal(): Promise<void> {
    Object.assign(this.#faults, noFaults);
    for (const connection of this.#open) connection.recover();
    if (this.#server !== undefined) return;
    const options = { allowHalfOpen: true, noDelay: true };
    this.#server = createServer(options, (client) => this.#accept(client)).listen(this.port, this.host);
    await once(this.#server, 'listening');
  }

  #accept(client: Socket): void {
    this.accepted++;
    const connection = new ProxiedConnection(client, this.#target, this.#faults);
    for (const past of this.#open) if (past.closed) this.#open.delete(past);
    this.#open.add(connection);
  }

  async stop(): Promise<void> {
    Object.assign(this.#faults, noFaults);
    const closed = this.#server === undefined ? undefined : once(this.#server, 'close');
    this.refuse();
    for (const connection of this.#open) connection.recover();
    this.cut();
    await closed;
  }
}
