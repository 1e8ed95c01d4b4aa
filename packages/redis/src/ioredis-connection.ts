import { inspect } from 'node:util';
import { LONGEST_TIMER_MS, parseDuration, type Duration, type Telemetry } from '@tierkit/core';
import type { Redis } from 'ioredis';
import { Breaker, type BreakerState } from './breaker.ts';
import { isCluster, type OpenedClient, type RedisClient } from './client.ts';
import { closeClient, destroyClients } from './close-client.ts';
import type { DuplicateOptions, RedisConnection, RedisStatus } from './connection.ts';
import { Deadline, timedOut } from './deadline.ts';
import { CommandDurations } from './command-durations.ts';
import { connectionSource } from './connection-source.ts';
import { duplicateClient } from './duplicate-client.ts';
import { isOutage, sanitized, translateRedisError, unavailable } from './errors.ts';
import { addressOf } from './masters.ts';
import type { Redact } from './redact.ts';
import type { ResolvedOptions, Topology } from './resolve-options.ts';
import { slotOf } from './slots.ts';
import { StateListeners } from './state-listeners.ts';

export interface ConnectionParts {
  readonly options: ResolvedOptions;
  readonly owned: boolean;
  readonly topology: Topology;
  readonly db: number;
  readonly opened: readonly OpenedClient[];
  readonly redact: Redact;
  readonly deadlineMs: number;
}

const READY_TIMEOUT_MS = 5_000;

export class IoredisConnection implements RedisConnection {
  readonly topology: Topology;
  readonly db: number;
  readonly owned: boolean;
  readonly #parts: ConnectionParts;
  readonly #clients: readonly RedisClient[];
  readonly #breaker: Breaker;
  readonly #deadline: Deadline;
  readonly #state: StateListeners;
  readonly #healthTimer: NodeJS.Timeout;
  readonly #durations: CommandDurations | undefined;
  readonly #stopObserving: (() => void) | undefined;
  readonly #duplicates = new Set<Redis>();
  #next = 0;
  #watched: RedisClient | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: ConnectionParts) {
    const { options } = parts;
    this.topology = parts.topology;
    this.db = parts.db;
    this.owned = parts.owned;
    this.#parts = parts;
    this.#clients = parts.opened.map(({ client }) => client);
    this.#deadline = new Deadline(parts.deadlineMs);
    this.#state = new StateListeners(options.logger);
    this.#breaker = new Breaker({
      failures: options.breakerFailures,
      // On a Cluster, one lost master must not cost the use of the others.
      quietMs: parts.topology === 'cluster' ? options.commandTimeoutMs : 0,
      resetAfterMs: options.breakerResetAfterMs,
      probe: () => this.#ping(),
      onChange: () => this.#update(),
    });
    for (const client of this.#clients) {
      client.on('ready', this.#connected);
      client.on('close', this.#update);
      client.on('end', this.#update);
      client.on('error', this.#failedToConnect);
    }
    const { telemetry } = options;
    if (telemetry !== undefined) {
      const { topology, db } = parts;
      this.#durations = new CommandDurations(telemetry, { topology, db, addresses: options.addresses });
      this.#stopObserving = this.#observedBy(telemetry);
    }
    this.#healthTimer = setInterval(this.#checkHealth, options.healthCheckIntervalMs);
    this.#healthTimer.unref();
    this.#update();
  }

  get breaker(): { readonly state: BreakerState; readonly failures: number } {
    return { state: this.#breaker.state, failures: this.#breaker.failures };
  }

  get status(): RedisStatus {
    if (this.#closing !== undefined) return 'closed';
    return this.#state.up ? 'ready' : this.#state.pending ? 'connecting' : 'unavailable';
  }

  async ready(timeout: Duration = READY_TIMEOUT_MS): Promise<void> {
    const timeoutMs = parseDuration(timeout, 'timeout', { maxMs: LONGEST_TIMER_MS });
    if (this.#closing !== undefined) throw unavailable('The Redis connection is closed', 'no');
    if (await this.#state.whenUp(timeoutMs)) return;
    throw this.#closing === undefined
      ? this.#unavailable(`Redis was not ready within ${timeoutMs} ms`)
      : unavailable('The Redis connection is closed', 'no');
  }

  get moment(): number {
    return this.#deadline.moment;
  }

  execute<T>(operation: (client: RedisClient) => Promise<T>, since?: number, command = ''): Promise<T> {
    if (since !== undefined && this.#deadline.isSpent(since)) return Promise.reject(timedOut('no'));
    const client = this.#pick();
    if (client === undefined) return Promise.reject(this.#refusal());
    const startedMs = this.#durations === undefined ? 0 : performance.now();
    let reply: Promise<T>;
    try {
      reply = operation(client);
    } catch (error) {
      return Promise.reject(this.#translated(error));
    }
    const durations = this.#durations;
    if (durations === undefined) return this.#deadline.race(reply, since).then(this.#succeeded<T>, this.#failed);
    return this.#deadline.race(reply, since).then(
      (value) => {
        durations.record(command, startedMs);
        return this.#succeeded(value);
      },
      (error: unknown) => {
        const translated = this.#translated(error);
        durations.record(command, startedMs, translated);
        throw translated;
      },
    );
  }

  masters(): readonly Redis[] {
    // Not in turn: whoever watches the masters would take another connection for another master.
    if (this.#watched?.status !== 'ready') {
      this.#watched = this.#clients.find(({ status }) => status === 'ready') ?? this.#clients[0];
    }
    const client = this.#watched;
    if (client === undefined) return [];
    return isCluster(client) ? client.nodes('master') : [client];
  }

  masterGroup(key: string | Buffer): number {
    const [client] = this.#clients;
    return client !== undefined && isCluster(client) ? (client._groupsBySlot[slotOf(key)] ?? 0) : 0;
  }

  masterOf(slot: number): Redis | undefined {
    const masters = this.masters();
    const client = this.#watched;
    if (client === undefined || !isCluster(client)) return masters[0];
    const address = client.slots[slot]?.[0];
    return masters.find((node) => addressOf(node) === address);
  }

  duplicate(purpose: 'subscriber' | 'blocking', options: DuplicateOptions = {}): Redis {
    const [client] = this.#clients;
    if (client === undefined || this.#closing !== undefined) throw unavailable('The Redis connection is closed', 'no');
    const gone = (ended: Redis): void => void this.#duplicates.delete(ended);
    const duplicate = duplicateClient(client, purpose, options, this.#parts.options, gone);
    this.#duplicates.add(duplicate);
    return duplicate;
  }

  onStateChange(listener: (state: 'up' | 'down') => void): () => void {
    return this.#state.add(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#healthTimer);
    this.#stopObserving?.();
    this.#breaker.dispose();
    this.#state.dispose();
    for (const client of this.#clients) {
      client.off('ready', this.#connected);
      client.off('close', this.#update);
      client.off('end', this.#update);
      client.off('error', this.#failedToConnect);
    }
    const clients = this.owned ? this.#clients.map((client) => closeClient(client, { graceful: true })) : [];
    await Promise.all([...clients, destroyClients(this.#duplicates)]);
    await Promise.all(this.#parts.opened.map(({ release }) => release()));
    this.#deadline.dispose();
  }

  /** It may refuse, and then nothing may be left open. */
  #observedBy(telemetry: Telemetry): () => void {
    try {
      return telemetry.observe(connectionSource(this));
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  #pick(): RedisClient | undefined {
    if (!this.#breaker.closed || this.#closing !== undefined) return undefined;
    return this.#readyClient();
  }

  #readyClient(): RedisClient | undefined {
    const clients = this.#clients;
    for (let i = 0; i < clients.length; i++) {
      if (this.#next >= clients.length) this.#next = 0;
      const client = clients[this.#next++];
      if (client !== undefined && client.status === 'ready') return client;
    }
    return undefined;
  }

  #refusal(): Error {
    if (this.#closing !== undefined) return unavailable('The Redis connection is closed', 'no');
    if (!this.#breaker.closed)
      return this.#unavailable('Redis failed repeatedly and is not asked until it answers a probe');
    this.#breaker.failed();
    return this.#unavailable('Redis is not connected');
  }

  #unavailable(what: string): Error {
    const { lastError } = this.#state;
    return unavailable(lastError === undefined ? what : `${what}; last: ${lastError.message}`, 'no', lastError);
  }

  readonly #succeeded = <T>(value: T): T => {
    this.#breaker.succeeded();
    return value;
  };

  readonly #failed = (error: unknown): never => {
    throw this.#translated(error);
  };

  #translated(error: unknown): unknown {
    const translated = translateRedisError(error, this.#parts.redact);
    if (isOutage(translated)) {
      this.#state.lastError = translated as Error;
      this.#breaker.failed();
    } else {
      this.#breaker.succeeded();
    }
    return translated;
  }

  async #ping(): Promise<void> {
    const client = this.#readyClient();
    if (client === undefined) throw unavailable('Redis is not connected', 'no');
    try {
      await this.#deadline.race(client.ping());
    } catch (error) {
      const translated = translateRedisError(error, this.#parts.redact);
      if (isOutage(translated)) throw translated;
    }
  }

  readonly #checkHealth = (): void => {
    if (this.#state.up) this.execute((client) => client.ping(), undefined, 'PING').catch(() => undefined);
  };

  readonly #connected = (): void => {
    this.#update();
    this.#breaker.probeNow();
  };

  readonly #failedToConnect = (error: unknown): void => {
    if (error instanceof Error) this.#state.lastError = sanitized(error, this.#parts.redact);
  };

  readonly #update = (): void => {
    if (this.#closing !== undefined) return;
    this.#state.set(this.#breaker.closed && this.#clients.some((client) => client.status === 'ready'));
  };

  toJSON(): Readonly<Record<string, unknown>> {
    const { topology, db, owned, status, breaker } = this;
    return { topology, db, owned, status, breaker };
  }

  [inspect.custom](): string {
    return `RedisConnection ${inspect(this.toJSON())}`;
  }
}
