import { TierkitError, type Logger } from '@tierkit/core';
import type { Redis } from 'ioredis';
import type { Subscription, SubscriptionListener } from './subscriber.ts';

export interface TopicParts {
  /** The channel or pattern. */
  readonly name: string;
  /** What the subscriber is called. */
  readonly owner: string;
  readonly logger: Logger;
  /** Called when the last listener has gone. */
  readonly onEmpty: (topic: Topic) => void;
}

/** Those who listen to one channel or pattern, and whether it is in effect. */
export class Topic {
  readonly name: string;
  live = false;
  /** The connection on which the server has confirmed the subscription. */
  heldBy: Redis | undefined;
  /** Why the server refused it the last time. */
  refusal: unknown;
  readonly #parts: TopicParts;
  // Replaced, never changed: who subscribes while a message is delivered does not get that one.
  #listeners: readonly Held[] = [];

  constructor(parts: TopicParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  get empty(): boolean {
    return this.#listeners.length === 0;
  }

  add(listener: SubscriptionListener): Subscription {
    const held = new Held(this, listener, this.#parts);
    this.#listeners = [...this.#listeners, held];
    return held;
  }

  remove(held: Held): void {
    this.#listeners = this.#listeners.filter((other) => other !== held);
    if (this.empty) this.#parts.onEmpty(this);
  }

  deliver(message: Buffer, channel: string): void {
    for (const held of this.#listeners) held.deliver(message, channel);
  }

  confirmLive(): void {
    if (this.live) return;
    this.live = true;
    this.refusal = undefined;
    for (const held of this.#listeners) held.onLive();
  }

  lose(reason: string): void {
    this.heldBy = undefined;
    if (!this.live) return;
    this.live = false;
    for (const held of this.#listeners) held.onLost(reason);
  }

  /** Ends all listeners, after `onLost` for those that were live. */
  end(reason: string): void {
    this.lose(reason);
    for (const held of this.#listeners) held.end();
    this.#listeners = [];
  }
}

class Held implements Subscription {
  readonly #topic: Topic;
  readonly #listener: SubscriptionListener;
  readonly #parts: TopicParts;
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(topic: Topic, listener: SubscriptionListener, parts: TopicParts) {
    this.#topic = topic;
    this.#listener = listener;
    this.#parts = parts;
  }

  get live(): boolean {
    return this.#topic.live && !this.#ended;
  }

  ready(timeoutMs: number): Promise<void> {
    if (this.live) return Promise.resolve();
    if (this.#ended) return Promise.reject(this.#notLive('was closed'));
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (this.live) resolve();
        else reject(this.#notLive(this.#ended ? 'was closed' : `is not live after ${Math.round(timeoutMs)} ms`));
      };
      const timer = setTimeout(settle, timeoutMs);
      this.#waiting.add(settle);
    });
  }

  off(): void {
    if (this.#ended) return;
    this.end();
    this.#topic.remove(this);
  }

  end(): void {
    this.#ended = true;
    this.#settle();
  }

  deliver(message: Buffer, channel: string): void {
    if (this.#ended) return;
    try {
      this.#listener.onMessage(message, channel);
    } catch (error) {
      this.#threw(error);
    }
  }

  onLive(): void {
    this.#settle();
    try {
      if (!this.#ended) this.#listener.onLive?.();
    } catch (error) {
      this.#threw(error);
    }
  }

  onLost(reason: string): void {
    try {
      if (!this.#ended) this.#listener.onLost?.(reason);
    } catch (error) {
      this.#threw(error);
    }
  }

  #settle(): void {
    for (const settle of this.#waiting) settle();
  }

  #threw(error: unknown): void {
    const { owner, logger } = this.#parts;
    logger.error({ error, channel: this.#topic.name }, `a listener of the ${owner} threw`);
  }

  #notLive(what: string): TierkitError {
    const { refusal } = this.#topic;
    const cause = refusal === undefined ? {} : { cause: refusal };
    return new TierkitError('ERR_REDIS_UNAVAILABLE', `the ${this.#parts.owner} ${what}`, cause);
  }
}
