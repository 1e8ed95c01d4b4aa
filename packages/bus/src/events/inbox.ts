import { undisturbed, type Clock, type Logger, type TierkitError } from '@tierkit/core';
import { busError } from '../errors.ts';
import type { BusEvent } from './event.ts';
import type { EventDecoder, Received } from './event-decoder.ts';
import { EventQueue, type QueueBounds } from './event-queue.ts';
import type { Gap } from './gap.ts';
import { Readiness } from './readiness.ts';

export interface InboxOptions extends QueueBounds {
  readonly decoder: EventDecoder;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly readyTimeoutMs: number;
  /** Events of this source are left out. */
  readonly without: string | undefined;
  readonly onGap: ((gap: Gap) => void) | undefined;
  readonly onMissed: (count: number) => void;
  readonly onEnd: () => void;
}

/** What feeds an inbox: a channel of Redis, a stream, or this process. */
export interface Source {
  /** Resolves once nothing that is published from then on is missed. */
  readonly ready: Promise<void>;
  close(): void;
}

/** Where the events of one subscription wait for whoever takes them, as an iterator or one by one. */
export class Inbox {
  missed = 0;
  readonly #options: InboxOptions;
  readonly #queue: EventQueue<Received | BusEvent>;
  readonly #wakers = new Set<() => void>();
  readonly #lost = new Set<object>();
  readonly #readiness: Readiness;
  #onItem: () => void = () => {};
  #forgetSignal: () => void = () => {};
  #sources: readonly Source[] = [];
  #error: TierkitError | undefined;
  #ended = false;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#queue = new EventQueue(options);
    this.#readiness = new Readiness(options.clock, options.readyTimeoutMs, 'subscription');
  }

  get ready(): Promise<void> {
    return this.#readiness.promise;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get size(): number {
    return this.#queue.size;
  }

  get full(): boolean {
    return this.#queue.full;
  }

  /** Whether items are left to take, or something ended it that has to be told. */
  get error(): TierkitError | undefined {
    return this.#error;
  }

  start(sources: readonly Source[], signal: AbortSignal | undefined): void {
    this.#sources = sources;
    // A source may have told so much at once that it was over before it began.
    if (this.#ended) return this.#closeSources();
    if (signal?.aborted === true) return this.end();
    if (signal !== undefined) {
      const abort = (): void => this.end();
      signal.addEventListener('abort', abort, { once: true });
      this.#forgetSignal = () => signal.removeEventListener('abort', abort);
    }
    Promise.all(sources.map(({ ready }) => ready)).then(
      () => this.#readiness.reach(),
      () => undefined,
    );
  }

  /** Calls back whenever something was added, or the end has come. */
  whenItem(callback: () => void): void {
    this.#onItem = callback;
  }

  offer(item: Received | BusEvent, bytes: number): void {
    if (this.#ended) return;
    // What a durable channel has is read when there is room, a batch at a time.
    const dropped = this.#queue.push(item, bytes, 'position' in item && item.position !== undefined);
    if (dropped === undefined) {
      this.#error = busError('ERR_BUS_OVERFLOW', 'the subscriber lagged behind its bounds', {
        details: { queued: this.#queue.size },
      });
      return this.end();
    }
    if (dropped > 0) this.#count(dropped);
    this.#onItem();
  }

  tellGap(gap: Gap): void {
    if (this.#ended) return;
    if (gap.missed !== undefined) this.#count(gap.missed);
    this.#queue.gap(gap);
    this.#onItem();
  }

  /** A source cannot hear for now. */
  lost(source: object): void {
    this.#lost.add(source);
  }

  /** A source hears again; once all of them do, that is a gap. */
  restored(source: object): void {
    if (this.#lost.delete(source) && this.#lost.size === 0) this.tellGap({ reason: 'connection', missed: undefined });
  }

  /** Resolves once there is room for more, or the end has come. */
  whenRoom(): Promise<void> {
    if (!this.#queue.full || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#wakers.add(resolve));
  }

  /** The next event that is to be delivered; undefined when nothing is left for now. Gaps are told on the way. */
  take(): BusEvent | Promise<BusEvent | undefined> | undefined {
    for (;;) {
      const slot = this.#queue.shift();
      if (slot === undefined) return undefined;
      if (this.#wakers.size > 0 && !this.#queue.full) this.#wake();
      if ('gap' in slot) {
        this.#report(slot.gap);
        continue;
      }
      if (!('bytes' in slot.item)) return slot.item;
      const event = this.#options.decoder.decode(slot.item);
      if (event instanceof Promise) return event.then((judged) => (this.#wanted(judged) ? judged : this.take()));
      if (this.#wanted(event)) return event;
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closeSources();
    this.#forgetSignal();
    this.#queue.clear();
    this.#readiness.fail(() => this.#error ?? busError('ERR_BUS_CLOSED', 'the subscription was closed'));
    this.#wake();
    this.#options.onEnd();
    this.#onItem();
  }

  #closeSources(): void {
    for (const source of this.#sources) source.close();
  }

  #wanted(event: BusEvent | undefined): event is BusEvent {
    return event !== undefined && (this.#options.without === undefined || event.source !== this.#options.without);
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }

  #count(missed: number): void {
    this.missed += missed;
    this.#options.onMissed(missed);
  }

  #report(gap: Gap): void {
    const { onGap, logger } = this.#options;
    if (onGap === undefined) return logger.warn({ ...gap }, 'a subscriber misses events');
    undisturbed(
      () => onGap(gap),
      (error) => logger.error({ error }, 'onGap of a subscription threw'),
    );
  }
}
