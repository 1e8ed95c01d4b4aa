import { TierkitError, type Clock, type Logger } from '@tierkit/core';
import type { KnownChannel } from '../channels/channel-map.ts';
import type { BusDriver, Delivery, Start, StreamReader } from '../drivers/driver.ts';
import { formatPosition, isBehind } from '../drivers/stream-id.ts';
import { busError } from '../errors.ts';
import type { BusEvent } from '../events/event.ts';
import type { EventDecoder } from '../events/event-decoder.ts';
import { Readiness } from '../events/readiness.ts';
import { isThenable } from '../thenable.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Backoff } from './backoff.ts';
import type { ConsumerSettings } from './consumer-options.ts';
import { Lanes } from './lanes.ts';
import type { Member } from './member.ts';
import { Presence } from './presence.ts';
import { Takeover } from './takeover.ts';
import { Work, type ConsumeContext } from './work.ts';

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
  readonly readyTimeoutMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onFailure: () => void;
}

/** One consumer of a group on one durable channel: takes events, and hands them to as many handlers as may be at work. */
export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  readonly #member: Member;
  readonly #reader: StreamReader;
  readonly #backoff: Backoff;
  readonly #readiness: Readiness;
  readonly #acknowledgements: Acknowledgements;
  readonly #presence: Presence;
  readonly #takeover: Takeover;
  readonly #lanes: Lanes;
  /** Behind what this consumer knows that the group has been given. */
  #start: Start;
  /** Whatever this consumer was given behind this, it has not heard of. */
  #lastId = '0-0';
  #closed = false;
  #closing: Promise<void> | undefined;
  readonly #running: Promise<void>;

  constructor(options: GroupConsumerOptions) {
    const { driver, stream, settings, consumer, logger, clock, readyTimeoutMs, start } = options;
    this.#options = options;
    this.#start = start;
    this.#member = { driver, stream, settings, logger, clock, owner: { group: settings.group, consumer } };
    this.#reader = driver.openReader(stream);
    this.#backoff = new Backoff(clock);
    this.#readiness = new Readiness(clock, readyTimeoutMs, 'consumer');
    this.#acknowledgements = new Acknowledgements(this.#member);
    this.#lanes = new Lanes({
      concurrency: settings.concurrency,
      handle: (delivery) => this.#handle(delivery),
    });
    this.#presence = new Presence(this.#member, {
      holds: () => this.#lanes.ids,
      onTaken: (ids) => this.#lanes.giveUp(ids),
    });
    this.#takeover = new Takeover(this.#member, {
      isBusy: () => this.#lanes.waiting,
      onClaimed: (deliveries) => this.#takeOver(deliveries),
    });
    this.#running = this.#run();
  }

  get ready(): Promise<void> {
    return this.#readiness.promise;
  }

  /** Takes nothing more, and waits for handlers at work. What they did not finish goes to other consumers. */
  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, driver, settings, stream, owner } = this.#member;
    this.#readiness.fail(() => busError('ERR_BUS_CLOSED', 'the consumer was closed'));
    this.#lanes.close();
    this.#reader.close();
    this.#backoff.cancel();
    const looked = this.#takeover.end();
    const left = this.#leave();
    await this.#lanes.drain(clock, settings.drainTimeoutMs);
    this.#presence.end();
    await Promise.all([left, this.#running, looked]);
    await this.#acknowledgements.end();
    // What was being read or claimed meanwhile.
    await this.#leave();
    const unknown = { after: this.#lastId, idleMs: settings.claimAfterMs, limit: settings.batch };
    await driver.forgetConsumer(stream, owner, unknown).catch((error: unknown) => this.#unanswered(error));
  }

  /** What has not begun goes to others at once, as if it had not been here. */
  async #leave(): Promise<void> {
    try {
      await Promise.all(this.#lanes.leave().map(({ id, attempt }) => this.#release(id, 0, attempt - 1)));
    } catch (error) {
      this.#unanswered(error);
    }
  }

  async #run(): Promise<void> {
    const { blockMs } = this.#options;
    const { driver, stream, settings, owner, logger } = this.#member;
    let created = false;
    while (!this.#closed) {
      try {
        if (!created) {
          this.#start = await driver.createGroup(stream, owner.group, this.#start);
          created = true;
          this.#readiness.reach();
          this.#takeover.lookIn(0);
        }
        await this.#lanes.room();
        if (this.#isClosed()) return;
        const deliveries = await this.#reader.readGroup(owner.group, owner.consumer, settings.batch, blockMs);
        const last = deliveries.at(-1);
        if (last !== undefined) this.#start = { id: last.id, count: last.count };
        this.#take(deliveries);
        this.#backoff.reset();
      } catch (error) {
        if (this.#isClosed()) return;
        // Somebody deleted the stream or the group, which goes on behind what was read here.
        if (error instanceof TierkitError && error.details['reply'] === 'NOGROUP') created = false;
        logger.warn({ error, stream, group: owner.group }, 'a durable channel cannot be consumed for now');
        await this.#backoff.wait();
      }
    }
  }

  #take(deliveries: readonly Delivery[]): void {
    const last = deliveries.at(-1);
    if (last === undefined) return;
    if (isBehind(last.id, this.#lastId)) this.#lastId = last.id;
    this.#presence.start();
    this.#lanes.take(deliveries);
  }

  /** What is at work or finished here was claimed from ourselves: we were slow to say so. */
  #takeOver(claimed: readonly Delivery[]): void {
    this.#take(claimed.filter(({ id }) => !this.#lanes.isAtWork(id) && !this.#acknowledgements.has(id)));
  }

  /** @returns a promise if it takes its time; the event is at work then */
  #handle(delivery: Delivery): Promise<void> | undefined {
    const { settings } = this.#member;
    const { id, attempt, group, counted } = delivery;
    // Replayed for another group.
    if (group !== undefined && group !== settings.group) return this.#finish(id);
    const work = new Work(attempt);
    // Whoever had it before died of it, so often that it will not be tried again.
    if (attempt > settings.maxAttempts) return this.#bury(id, work, attempt - 1, 'no consumer survived it');
    if (counted) return this.#decode(delivery, work);
    this.#lanes.atWork(id, work);
    return this.#begin(delivery, work);
  }

  /** What was taken over is counted as it begins, so that only what begins can be given up for it. */
  async #begin(delivery: Delivery, work: Work): Promise<void> {
    const { id, attempt } = delivery;
    try {
      if (await this.#release(id, this.#member.settings.claimAfterMs, attempt)) await this.#decode(delivery, work);
    } catch (error) {
      this.#unanswered(error);
    }
  }

  #decode(delivery: Delivery, work: Work): Promise<void> | undefined {
    const { known, decoder } = this.#options;
    const { id, message, subject } = delivery;
    const event = decoder.decode({
      known,
      bytes: message,
      exact: undefined,
      encoded: subject ?? known.name.name,
      position: formatPosition(delivery),
    });
    if (!(event instanceof Promise)) return this.#handleEvent(id, work, event);
    this.#lanes.atWork(id, work);
    return event.then((judged) => this.#handleEvent(id, work, judged));
  }

  #handleEvent(id: string, work: Work, event: BusEvent | undefined): Promise<void> | undefined {
    if (event === undefined)
      return this.#bury(id, work, work.attempt, 'it cannot be read, or does not pass the schema');
    try {
      const result = this.#options.handler(event, work);
      if (!isThenable(result)) return this.#finish(id);
      this.#lanes.atWork(id, work);
      return Promise.resolve(result).then(
        () => this.#finish(id),
        (error: unknown) => this.#fail(id, work, error),
      );
    } catch (error) {
      return this.#fail(id, work, error);
    }
  }

  #finish(id: string): undefined {
    this.#acknowledgements.add(id);
  }

  async #fail(id: string, work: Work, error: unknown): Promise<void> {
    const { settings, logger, stream, owner } = this.#member;
    const { attempt } = work;
    this.#options.onFailure();
    const reason = reasonOf(error);
    logger.warn({ error, stream, group: owner.group, id, attempt }, 'a handler of a durable channel failed');
    if (attempt >= settings.maxAttempts) return this.#bury(id, work, attempt, reason);
    this.#lanes.atWork(id, work);
    const delayMs = Math.min(settings.backoffMs * 2 ** (attempt - 1), settings.maxBackoffMs);
    await this.#release(id, delayMs, attempt).catch((unanswered: unknown) => this.#unanswered(unanswered));
    this.#takeover.retryIn(delayMs);
  }

  async #bury(id: string, work: Work, attempts: number, reason: string): Promise<void> {
    const { driver, stream, owner } = this.#member;
    this.#lanes.atWork(id, work);
    try {
      await driver.bury(stream, owner.group, { id, attempts, reason: reason.slice(0, 1_000) });
    } catch (error) {
      this.#unanswered(error);
    }
  }

  /** @returns whether it was still this consumer's */
  #release(id: string, delayMs: number, attempts: number): Promise<boolean> {
    const { driver, stream, owner, settings } = this.#member;
    return driver.release(stream, owner, id, { idleMs: Math.max(0, settings.claimAfterMs - delayMs), attempts });
  }

  /** What is not answered is not lost: the event is handed out again. */
  #unanswered(error: unknown): void {
    this.#member.logger.warn({ error, stream: this.#member.stream }, 'a consumer was not answered');
  }

  // A method of its own, because the type checker takes the field for unchanged across an await.
  #isClosed(): boolean {
    return this.#closed;
  }
}

/** Handlers may throw anything, also what has no text. */
function reasonOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something that has no text';
  }
}
