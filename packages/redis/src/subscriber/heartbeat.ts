import type { Clock } from '@tierkit/core';
import type { Redis } from 'ioredis';
import { ClockOffset } from './clock-offset.ts';

interface Master {
  readonly client: Redis;
  readonly offset: ClockOffset;
  beatAtMs: number | undefined;
  pending: boolean;
  readonly onClose: () => void;
}

/**
 * Beats sent through every master and received back through the subscriber, which proves the whole path of a message,
 * the links between Cluster nodes included.
 */
export class Heartbeat {
  readonly #masters = new Map<Redis, Master>();
  readonly #channel: string;
  readonly #onBroken: (reason: string) => void;
  readonly #clock: Clock;
  #round = 0;

  /** @param clock Whose monotonic time the server's is compared with; beats are timed as the timers that send them are. */
  constructor(channel: string, onBroken: (reason: string) => void, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
    this.#onBroken = onBroken;
  }

  /** Forgets all beats: only those sent from now on count. */
  restart(): void {
    this.#round++;
    for (const master of this.#masters.values()) master.beatAtMs = undefined;
  }

  /** Sends one beat through each master and asks it for the time. */
  send(masters: readonly Redis[]): void {
    this.#follow(masters);
    let index = 0;
    for (const master of this.#masters.values()) void this.#beat(master, index++);
  }

  /** Notes a beat that came back. @returns whether every master's beat has come back since the restart. */
  receive(payload: string): boolean {
    const [round, index] = payload.split(':').map(Number);
    const master = [...this.#masters.values()][index ?? -1];
    if (master !== undefined && round === this.#round) master.beatAtMs = performance.now();
    return this.complete;
  }

  get complete(): boolean {
    for (const master of this.#masters.values()) if (master.beatAtMs === undefined) return false;
    return this.#masters.size > 0;
  }

  /** The age of the oldest master's last beat. */
  get silenceMs(): number {
    let oldest = Infinity;
    for (const { beatAtMs } of this.#masters.values()) oldest = Math.min(oldest, beatAtMs ?? -Infinity);
    return performance.now() - oldest;
  }

  get serverOffsetMs(): number | undefined {
    let most: number | undefined;
    for (const { offset } of this.#masters.values()) {
      const bound = offset.upperBoundMs;
      if (bound === undefined) return undefined;
      most = most === undefined ? bound : Math.max(most, bound);
    }
    return most;
  }

  stop(): void {
    for (const { client, onClose } of this.#masters.values()) client.off('close', onClose);
    this.#masters.clear();
  }

  /** A master that came, went or lost its connection may have lost messages and writes on the way. */
  #follow(clients: readonly Redis[]): void {
    const known = this.#masters.size > 0;
    let changed = false;
    for (const [client, { onClose }] of this.#masters) {
      if (clients.includes(client)) continue;
      client.off('close', onClose);
      this.#masters.delete(client);
      changed = true;
    }
    for (const client of clients) {
      if (this.#masters.has(client)) continue;
      const onClose = (): void => this.#onBroken('the connection to a master closed');
      client.on('close', onClose);
      this.#masters.set(client, { client, offset: new ClockOffset(), beatAtMs: undefined, pending: false, onClose });
      changed = true;
    }
    if (changed && known) this.#onBroken('the set of masters changed');
  }

  async #beat(master: Master, index: number): Promise<void> {
    // A server that does not answer gets no queue of beats.
    if (master.pending) return;
    master.pending = true;
    const sentMs = this.#clock.monotonic();
    try {
      const [[seconds, micros]] = (await Promise.all([
        master.client.time(),
        master.client.publish(this.#channel, `${this.#round}:${index}`),
      ])) as unknown as [[string | number, string | number], number];
      master.offset.add(sentMs, Number(seconds) * 1000 + Number(micros) / 1000, this.#clock.monotonic());
    } catch {
      // The silence tells.
    } finally {
      master.pending = false;
    }
  }
}
