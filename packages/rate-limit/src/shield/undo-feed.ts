import { createSubscriber, type RedisConnection, type Subscriber, type Subscription } from '@tierkit/redis';
import type { LimiterSettings } from '../limiter-options.ts';

export interface UndoListener {
  /** What a subject was denied may be allowed now. */
  onUndo(subject: string): void;
  /** From now on nothing is missed. */
  onLive(): void;
  onLost(): void;
}

export interface UndoFeedOptions extends Pick<LimiterSettings, 'prefix' | 'logger' | 'clock'> {
  readonly redis: RedisConnection;
  readonly channel: string;
  /** Of somebody else's, which is not closed. */
  readonly subscriber: Subscriber | undefined;
}

/** Where the limiters of a name tell each other what they take back. */
export function undoChannel(prefix: string, name: string, db: number): string {
  return `${prefix}{tierkit}limit:${db}:${name}`;
}

/** Hears of what any instance takes back; it connects with the first denial, as before there is nothing to take back. */
export class UndoFeed {
  readonly #options: UndoFeedOptions;
  readonly #listener: UndoListener;
  #own: Subscriber | undefined;
  #subscription: Subscription | undefined;
  #closed = false;

  constructor(options: UndoFeedOptions, listener: UndoListener) {
    this.#options = options;
    this.#listener = listener;
  }

  start(): void {
    if (this.#subscription !== undefined || this.#closed) return;
    const { redis, channel, subscriber, prefix, logger, clock } = this.#options;
    const listener = this.#listener;
    if (subscriber === undefined) {
      this.#own = createSubscriber(redis, { prefix, name: "limiter's subscriber", logger, clock });
    }
    this.#subscription = (subscriber ?? this.#own)?.subscribe(channel, {
      onMessage: (message) => listener.onUndo(message.toString()),
      onLive: () => listener.onLive(),
      onLost: () => listener.onLost(),
    });
    if (this.#subscription?.live) listener.onLive();
  }

  close(): void {
    this.#closed = true;
    this.#subscription?.off();
    this.#own?.close();
  }
}
