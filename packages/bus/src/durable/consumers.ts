import type { ChannelMap } from '../channels/channel-map.ts';
import type { Counters } from '../counters.ts';
import { busError, closedError } from '../errors.ts';
import type { BusEvent } from '../events/event.ts';
import type { EventDecoder } from '../events/event-decoder.ts';
import type { Origin } from '../events/origin.ts';
import type { OpenedDriver } from '../open-driver.ts';
import { BLOCK_MS, type BusSettings } from '../options.ts';
import { tracedHandler } from '../telemetry.ts';
import { consumerSettings, type ConsumeOptions } from './consumer-options.ts';
import { startOf } from './from.ts';
import { GroupConsumer } from './group-consumer.ts';
import type { ConsumeContext } from './work.ts';

/** A member of a group that works off durable channels. */
export interface Consumer {
  /**
   * Resolves once the group exists on every channel.
   *
   * It rejects with `ERR_BUS_TIMEOUT` after `readyTimeout`, though the consumer goes on trying, and with `ERR_BUS_CLOSED` when it
   * was closed before.
   */
  readonly ready: Promise<void>;
  /** Takes nothing more and waits for handlers at work, for `drainTimeout` at the most. It may be called again. */
  close(): Promise<void>;
}

export interface ConsumersParts {
  readonly map: ChannelMap;
  readonly settings: BusSettings;
  readonly opened: OpenedDriver;
  readonly origin: Origin;
  readonly decoder: EventDecoder;
  readonly counters: Counters;
}

/** The members of groups that a bus has. */
export class Consumers {
  readonly #parts: ConsumersParts;
  readonly #open = new Set<Consumer>();
  #members = 0;
  #closed = false;

  constructor(parts: ConsumersParts) {
    this.#parts = parts;
  }

  /** One for each channel of a consumer. */
  get size(): number {
    return this.#members;
  }

  consume(
    channels: string | readonly string[],
    options: ConsumeOptions,
    handler: (event: BusEvent, context: ConsumeContext) => unknown,
  ): Consumer {
    if (this.#closed) throw closedError();
    const { map, settings, opened, origin, decoder, counters } = this.#parts;
    const own = consumerSettings(options);
    if (typeof handler !== 'function') throw busError('ERR_BUS_OPTIONS', 'consume needs a handler');
    const start = startOf(options.from ?? 'now');
    const known = map.durable(channels);
    const members = known.map(
      (one) =>
        new GroupConsumer({
          driver: opened.driver,
          stream: opened.names.stream(one.name.name),
          known: one,
          start,
          consumer: origin.newConsumer(),
          settings: own,
          handler: tracedHandler(settings.telemetry, handler),
          decoder,
          blockMs: BLOCK_MS,
          readyTimeoutMs: settings.readyTimeoutMs,
          logger: settings.logger,
          clock: settings.clock,
          onFailure: () => counters.failures++,
        }),
    );
    this.#members += members.length;
    let closing: Promise<void> | undefined;
    const end = async (): Promise<void> => {
      own.signal?.removeEventListener('abort', abort);
      await Promise.all(members.map((member) => member.close()));
      this.#members -= members.length;
      this.#open.delete(consumer);
    };
    const ready = Promise.all(members.map((member) => member.ready)).then(() => undefined);
    // Nobody has to wait for it.
    ready.catch(() => undefined);
    const consumer: Consumer = { ready, close: () => (closing ??= end()) };
    const abort = (): void => void consumer.close();
    this.#open.add(consumer);
    if (own.signal?.aborted === true) abort();
    else own.signal?.addEventListener('abort', abort, { once: true });
    return consumer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((consumer) => consumer.close()));
  }
}
