import { TierkitError, type Clock, type ClockTimer, type Logger } from '@tierkit/core';
import type { KnownChannel } from '../channels/channel-map.ts';
import type { BusDriver, Delivery, GroupOwner, Start, StreamReader } from '../drivers/driver.ts';
import { formatPosition } from '../drivers/stream-id.ts';
import type { BusEvent } from '../events/event.ts';
import type { EventDecoder } from '../events/event-decoder.ts';
import { Backoff } from './backoff.ts';
import type { ConsumerSettings } from './consumer-options.ts';

/** What a handler is told besides the event. */
export interface ConsumeContext {
  /** 1 the first time; more after a failure, or after a consumer was lost. */
  readonly attempt: number;
  /** Aborted when the consumer closes and does not wait any longer, or when the event went to another consumer. */
  readonly signal: AbortSignal;
}

export interface GroupConsumerOptions {
  readonly driver: BusDriver;
  readonly stream: string;
  readonly known: KnownChannel;
  readonly start: Start;
  readonly consumer: string;
  readonly settings: ConsumerSettings;
  readonly handler: (event: BusEvent, context: ConsumeContext) => unknown;
  readonly decoder: EventDecoder;
  readonly blockMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onFailure: () => void;
}

/** What a handler is told; most never look at the signal, which is costly to make. */
class Work implements ConsumeContext {
  readonly attempt: number;
  #controller: AbortController | undefined;
  #aborted = false;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}

/** Acknowledgements wait this long for others, at the most. */
const ACKNOWLEDGE_AFTER_MS = 50;
/** Retries that fall due are looked for no more often. */
const CLAIM_EVERY_MS = 20;
/** What could not be asked for is asked for again. */
const AWAY_MS = 1_000;
/** A consumer with work before it looks for more after this long. */
const BUSY_MS = 200;

/** One consumer of a group on one durable channel. */
export class GroupConsumer {
  readonly ready: Promise<void>;
  readonly #options: GroupConsumerOptions;
  readonly #owner: GroupOwner;
  readonly #reader: StreamReader;
  readonly #backoff: Backoff;
  readonly #waiting: Delivery[] = [];
  readonly #working = new Map<string, Work>();
  readonly #done: string[] = [];
  /** Finished here, and not known to be acknowledged. */
  readonly #finishedIds = new Set<string>();
  #onRoom: () => void = () => {};
  #onIdle: () => void = () => {};
  #acknowledging: ClockTimer | undefined;
  #touching: ClockTimer | undefined;
  #claiming: ClockTimer | undefined;
  #claimAtMs = Infinity;
  /** When events that failed here fall due. */
  #retriesAtMs: number[] = [];
  #closed = false;
  #closing: Promise<void> | undefined;
  readonly #running: Promise<void>;

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
    this.#owner = { group: options.settings.group, consumer: options.consumer };
    this.#reader = options.driver.openReader(options.stream);
    this.#backoff = new Backoff(options.clock);
    let running = Promise.resolve();
    this.ready = new Promise((resolve) => {
      running = this.#run(resolve);
    });
    this.#running = running;
  }

  /** Takes nothing more, and waits for handlers at work. What they did not finish goes to other consumers. */
  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, driver, settings, stream } = this.#options;
    // Left to others at once.
    const left = this.#waiting.splice(0);
    this.#reader.close();
    this.#onRoom();
    this.#backoff.cancel();
    this.#claiming?.cancel();
    if (this.#working.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, settings.drainTimeoutMs);
        this.#onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    for (const work of this.#working.values()) work.abort();
    this.#touching?.cancel();
    this.#acknowledging?.cancel();
    await this.#running;
    left.push(...this.#waiting.splice(0));
    try {
      await this.#acknowledge();
      await Promise.all(left.map(({ id }) => driver.release(stream, this.#owner, id, 0, settings.claimAfterMs)));
      await driver.forgetConsumer(stream, this.#owner);
    } catch (error) {
      // They are handed out again, which `at least once` allows.
      this.#options.logger.warn({ error, stream }, 'a consumer could not say goodbye');
    }
  }

  async #run(settle: () => void): Promise<void> {
    const { driver, stream, start, settings, blockMs, logger } = this.#options;
    const { group, consumer } = this.#owner;
    let created = false;
    while (!this.#closed) {
      try {
        if (!created) {
          await driver.createGroup(stream, group, start);
          created = true;
          settle();
          this.#claimIn(0);
        }
        await this.#room();
        if (this.#isClosed()) return;
        this.#take(await this.#reader.readGroup(group, consumer, settings.batch, blockMs));
        this.#backoff.reset();
      } catch (error) {
        if (this.#isClosed()) return;
        // Somebody deleted the stream: the group begins anew with all that is published since.
        if (error instanceof TierkitError && error.details['reply'] === 'NOGROUP') created = false;
        logger.warn({ error, stream, group }, 'a durable channel cannot be consumed for now');
        await this.#backoff.wait();
      }
    }
  }

  /** Waits until everything that was taken is being handled. */
  #room(): Promise<void> {
    if (this.#waiting.length === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => (this.#onRoom = resolve));
  }

  #take(deliveries: readonly Delivery[]): void {
    this.#waiting.push(...deliveries);
    if (deliveries.length > 0) this.#touchLater();
    const { concurrency } = this.#options.settings;
    while (!this.#closed && this.#working.size < concurrency && this.#waiting.length > 0) this.#next();
  }

  /** Handles what waits until nothing does, on one of the lanes of concurrency. */
  #next(): void {
    for (;;) {
      const delivery = this.#closed ? undefined : this.#waiting.shift();
      if (delivery === undefined) break;
      const working = this.#handle(delivery);
      if (working === undefined) continue;
      void working.finally(() => {
        this.#working.delete(delivery.id);
        this.#next();
      });
      return;
    }
    this.#acknowledgeLater();
    this.#onRoom();
    if (this.#working.size === 0) this.#onIdle();
  }

  /** @returns a promise if the handler takes its time */
  #handle(delivery: Delivery): Promise<void> | undefined {
    const { settings, known, decoder } = this.#options;
    const { id, attempt, group, message, subject } = delivery;
    // Replayed for another group.
    if (group !== undefined && group !== settings.group) return this.#finished(id);
    // Whoever had it before died of it, so often that it will not be tried again.
    if (attempt > settings.maxAttempts) return this.#bury(id, attempt - 1, 'no consumer survived it');
    const position = formatPosition(delivery);
    const event = decoder.decode({
      known,
      bytes: message,
      exact: undefined,
      encoded: subject ?? known.name.name,
      position,
    });
    if (event instanceof Promise) {
      this.#working.set(id, new Work(attempt));
      return event.then((judged) => this.#handleEvent(delivery, judged));
    }
    return this.#handleEvent(delivery, event);
  }

  #handleEvent({ id, attempt }: Delivery, event: BusEvent | undefined): Promise<void> | undefined {
    if (event === undefined) return this.#bury(id, attempt, 'it cannot be read, or does not pass the schema');
    const work = this.#working.get(id) ?? new Work(attempt);
    try {
      const result = this.#options.handler(event, work);
      if (!(result instanceof Promise)) return this.#finished(id);
      this.#working.set(id, work);
      return result.then(
        () => this.#finished(id),
        (error: unknown) => this.#failed(id, attempt, error),
      );
    } catch (error) {
      return this.#failed(id, attempt, error);
    }
  }

  #finished(id: string): undefined {
    this.#done.push(id);
    this.#finishedIds.add(id);
    if (this.#done.length >= this.#options.settings.batch) void this.#acknowledge();
    else this.#acknowledgeLater();
  }

  #failed(id: string, attempt: number, error: unknown): Promise<void> {
    const { settings, logger, onFailure, driver, stream } = this.#options;
    onFailure();
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ error, stream, group: settings.group, id, attempt }, 'a handler of a durable channel failed');
    if (attempt >= settings.maxAttempts) return this.#bury(id, attempt, reason);
    const delayMs = Math.min(settings.backoffMs * 2 ** (attempt - 1), settings.maxBackoffMs);
    return this.#ask(driver.release(stream, this.#owner, id, delayMs, settings.claimAfterMs)).then(() => {
      this.#retriesAtMs.push(this.#options.clock.monotonic() + delayMs + 1);
      this.#claimIn(delayMs + 1);
    });
  }

  #bury(id: string, attempts: number, reason: string): Promise<void> {
    const { driver, stream, settings } = this.#options;
    this.#working.set(id, this.#working.get(id) ?? new Work(attempts));
    return this.#ask(driver.bury(stream, settings.group, { id, attempts, reason: reason.slice(0, 1_000) }));
  }

  // A method of its own, because the type checker takes the field for unchanged across an await.
  #isClosed(): boolean {
    return this.#closed;
  }

  /** What is not answered is not lost: the event is handed out again. */
  async #ask(answer: Promise<unknown>): Promise<void> {
    try {
      await answer;
    } catch (error) {
      this.#options.logger.warn({ error, stream: this.#options.stream }, 'a consumer was not answered');
    }
  }

  #acknowledgeLater(): void {
    if (this.#done.length === 0) return;
    this.#acknowledging ??= this.#options.clock.setTimeout(() => void this.#acknowledge(), ACKNOWLEDGE_AFTER_MS);
  }

  async #acknowledge(): Promise<void> {
    this.#acknowledging?.cancel();
    this.#acknowledging = undefined;
    const ids = this.#done.splice(0);
    if (ids.length === 0) return;
    const { driver, stream } = this.#options;
    await this.#ask(
      driver.acknowledge(stream, this.#owner.group, ids).then(() => {
        for (const id of ids) this.#finishedIds.delete(id);
      }),
    );
  }

  /** What is at work or waits here must not look abandoned. */
  #touchLater(): void {
    const { clock, settings } = this.#options;
    this.#touching ??= clock.setTimeout(() => {
      this.#touching = undefined;
      if (this.#waiting.length + this.#working.size > 0) void this.#touch().then(() => this.#touchLater());
    }, settings.claimAfterMs / 3);
  }

  async #touch(): Promise<void> {
    const { driver, stream, logger } = this.#options;
    const ids = [...this.#working.keys(), ...this.#waiting.map(({ id }) => id)];
    try {
      const own = new Set(await driver.touch(stream, this.#owner, ids));
      const asked = new Set(ids);
      const left = this.#waiting.filter(({ id }) => own.has(id) || !asked.has(id));
      this.#waiting.splice(0, this.#waiting.length, ...left);
      for (const [id, work] of this.#working) if (asked.has(id) && !own.has(id)) work.abort();
    } catch (error) {
      logger.warn({ error, stream }, 'a consumer could not say that it is at work');
    }
  }

  /** Looks for what can be taken over in so many milliseconds, or sooner. */
  #claimIn(ms: number): void {
    const { clock, settings } = this.#options;
    const inMs = Math.max(CLAIM_EVERY_MS, ms);
    const atMs = clock.monotonic() + inMs;
    if (this.#closed || this.#claimAtMs <= atMs) return;
    this.#claiming?.cancel();
    this.#claimAtMs = atMs;
    this.#claiming = clock.setTimeout(() => {
      this.#claimAtMs = Infinity;
      const lookedAtMs = clock.monotonic();
      void this.#claim().finally(() => {
        // The time of one that failed meanwhile may have been passed over, because this look was to come sooner.
        this.#retriesAtMs = this.#retriesAtMs.filter((atMs) => atMs > lookedAtMs);
        const dueMs = this.#retriesAtMs.reduce((least, atMs) => Math.min(least, atMs), Infinity) - clock.monotonic();
        this.#claimIn(Math.min(dueMs, settings.claimAfterMs / 2));
      });
    }, inMs);
  }

  async #claim(): Promise<void> {
    const { driver, stream, settings, logger } = this.#options;
    if (this.#waiting.length > 0) return this.#claimIn(BUSY_MS);
    try {
      const claimed = await driver.claim(stream, this.#owner, settings.claimAfterMs, settings.batch);
      // What is at work or finished here was claimed from ourselves: we were slow to say so.
      for (const { id } of claimed) if (this.#finishedIds.has(id)) this.#finished(id);
      this.#take(claimed.filter(({ id }) => !this.#working.has(id) && !this.#finishedIds.has(id)));
      if (claimed.length === settings.batch) this.#claimIn(0);
    } catch (error) {
      if (!this.#closed) logger.warn({ error, stream }, 'what other consumers left cannot be taken over for now');
      this.#claimIn(AWAY_MS);
    }
  }
}
