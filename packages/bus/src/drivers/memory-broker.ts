import { systemClock, type Clock } from '@tierkit/core';
import { MemoryStream } from './memory-stream.ts';

type Deliver = (message: Buffer, channel: string) => void;

/** Someone who listens in this process. */
export interface MemoryListener {
  readonly matches: (channel: string) => boolean;
  readonly deliver: Deliver;
}

/**
 * What buses of one process share in place of Redis: give the same broker to several to connect them. Everything in it
 * ends with the process.
 */
export class MemoryBroker {
  readonly clock: Clock;
  readonly #listeners = new Set<MemoryListener>();
  readonly #streams = new Map<string, MemoryStream>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  listen(listener: MemoryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Delivers later, as a network would, and in order. */
  send(channel: string, message: Buffer): void {
    queueMicrotask(() => {
      for (const { matches, deliver } of [...this.#listeners]) if (matches(channel)) deliver(message, channel);
    });
  }

  stream(name: string): MemoryStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) this.#streams.set(name, (stream = new MemoryStream(this.clock)));
    return stream;
  }
}

/** @param options.clock whose time events, retries and retention go by @default the system's */
export function memoryBroker(options: { readonly clock?: Clock } = {}): MemoryBroker {
  return new MemoryBroker(options.clock ?? systemClock);
}
