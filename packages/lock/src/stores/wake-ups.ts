import type { Clock, Logger } from '@tierkit/core';
import { createSubscriber, type RedisConnection, type Subscriber, type Subscription } from '@tierkit/redis';
import type { Attendance, LockRequest, Shape, Taking } from './lock-store.ts';

export interface WakeUpsOptions {
  readonly prefix: string;
  readonly process: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A turn was given to an owner who does not wait here. */
  readonly onStranger: (owner: string, shape: Shape, key: string) => void;
}

interface Channel {
  readonly subscription: Subscription;
  attending: number;
  /** Ends the subscription some time after the last has left. */
  idle: NodeJS.Timeout | undefined;
}

interface Waiter {
  readonly channel: string;
  readonly resource: string;
  readonly wake: () => void;
  /** It was told that its turn has come. */
  called: boolean;
}

const READY = Promise.resolve();
const READY_MS = 2_000;
/** A lock that was waited for is often waited for again. */
const IDLE_MS = 5_000;

/**
 * Tells waiters of this process when their turn has come: one channel for the process, or on a Cluster one for each lock that
 * is waited for, in the lock's slot, so that the script that gives a turn away learns whether anybody heard.
 */
export class WakeUps {
  readonly #redis: RedisConnection;
  readonly #options: WakeUpsOptions;
  readonly #common: string;
  readonly #sharded: boolean;
  readonly #subscriber: Subscriber;
  readonly #channels = new Map<string, Channel>();
  readonly #waiting = new Map<string, Waiter>();

  constructor(redis: RedisConnection, options: WakeUpsOptions) {
    const { prefix, logger, clock } = options;
    this.#redis = redis;
    this.#options = options;
    this.#common = `${prefix}{tierkit}locks:${redis.db}:${options.process}`;
    this.#subscriber = createSubscriber(redis, { prefix, logger, clock, name: 'wake-ups of locks' });
    this.#sharded = this.#subscriber.shardPublish === 'SPUBLISH';
  }

  /** How scripts wake waiters of this process: a command and a channel. */
  wakeOf(resource: string): string {
    return `${this.#subscriber.shardPublish} ${this.#channelOf(resource)}`;
  }

  /** Whether no wake-up for the lock is missed. */
  live(resource: string): boolean {
    return this.#channels.get(this.#channelOf(resource))?.subscription.live === true;
  }

  attend({ owner, resource }: LockRequest, wake: () => void): Attendance {
    const name = this.#channelOf(resource);
    const channel = this.#open(name);
    channel.attending++;
    clearTimeout(channel.idle);
    this.#waiting.set(owner, { channel: name, resource, wake, called: false });
    const { subscription } = channel;
    return {
      // The subscriber logs why not, and goes on trying; with Redis away there is nothing to wait for.
      ready:
        subscription.live || this.#redis.status !== 'ready'
          ? READY
          : subscription.ready(READY_MS).catch(() => undefined),
      leave: () => {
        this.#waiting.delete(owner);
        channel.attending--;
        if (channel.attending === 0) channel.idle = setTimeout(() => this.#leave(name, channel), IDLE_MS).unref();
      },
    };
  }

  /**
   * To be told what an owner found who asked. Whoever comes too late for a turn, since the process stood still, has cost it
   * its other places as well, and those who had them have to line up again.
   */
  asked(owner: string, { token }: Taking): void {
    const waiter = this.#waiting.get(owner);
    if (waiter?.called !== true) return;
    waiter.called = false;
    if (token !== undefined) return;
    for (const other of this.#waiting.values())
      if (other.resource === waiter.resource && other !== waiter) other.wake();
  }

  close(): void {
    for (const { idle } of this.#channels.values()) clearTimeout(idle);
    this.#channels.clear();
    this.#subscriber.close();
  }

  #channelOf(resource: string): string {
    return this.#sharded ? `${this.#options.prefix}${resource}:wake:${this.#options.process}` : this.#common;
  }

  #open(name: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const subscription = this.#subscriber.ssubscribe(name, {
      onMessage: (message) => this.#receive(message.toString()),
      // Turns may have come while nobody listened, or may be missed from now on.
      onLive: () => this.#wakeAll(name),
      onLost: () => this.#wakeAll(name),
    });
    const channel = { subscription, attending: 0, idle: undefined };
    this.#channels.set(name, channel);
    return channel;
  }

  #leave(name: string, channel: Channel): void {
    // The channel of the process stays: who waited once will wait again.
    if (!this.#sharded || this.#channels.get(name) !== channel) return;
    this.#channels.delete(name);
    channel.subscription.off();
  }

  #receive(message: string): void {
    const [owner = '', shape = 'x', key = ''] = message.split(' ');
    const waiter = this.#waiting.get(owner);
    if (waiter === undefined) return this.#options.onStranger(owner, shape as Shape, key);
    waiter.called = true;
    waiter.wake();
  }

  #wakeAll(name: string): void {
    for (const { channel, wake } of this.#waiting.values()) if (channel === name) wake();
  }
}
