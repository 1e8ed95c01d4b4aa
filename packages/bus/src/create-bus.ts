import { observeOrUndo, type Duration } from '@tierkit/core';
import type { Bus } from './bus.ts';
import type { Channels } from './channels/channel.ts';
import { ChannelMap, type KnownChannel } from './channels/channel-map.ts';
import { noneCounted, type BusStats } from './counters.ts';
import { busStream, type BusStream } from './durable/bus-stream.ts';
import { requireGroup } from './durable/consumer-options.ts';
import { Consumers } from './durable/consumers.ts';
import { deadLettersOf, type DeadLetterOptions, type DeadLetters } from './durable/dead-letters.ts';
import type { GroupState } from './drivers/driver.ts';
import { busError } from './errors.ts';
import { EventDecoder } from './events/event-decoder.ts';
import { Origin } from './events/origin.ts';
import { Publisher } from './events/publisher.ts';
import { Subscriptions } from './events/subscriptions.ts';
import { openDriver, type OpenedDriver } from './open-driver.ts';
import { busSettings, type BusOptions, type BusSettings } from './options.ts';
import { busSource } from './telemetry.ts';

/**
 * A bus of typed channels. It returns at once and connects in the background, and for subscribers only once there are any.
 *
 * @throws {TierkitError} `ERR_BUS_OPTIONS`, `ERR_BUS_CHANNEL`, `ERR_REDIS_OPTIONS`
 */
export function createBus<const C extends Channels>(channels: C, options: BusOptions): Bus<C> {
  const settings = busSettings(options);
  const map = new ChannelMap(channels);
  // What the types say of names and data is checked here again, for callers without types.
  const bus = new EventBus(map, settings, openDriver(options, settings));
  bus.observe();
  return bus as unknown as Bus<C>;
}

class EventBus {
  readonly #map: ChannelMap;
  readonly #settings: BusSettings;
  readonly #opened: OpenedDriver;
  readonly #decoder: EventDecoder;
  readonly #counters = noneCounted();
  readonly #publisher: Publisher;
  readonly #subscriptions: Subscriptions;
  readonly #consumers: Consumers;
  #stopObserving: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(map: ChannelMap, settings: BusSettings, opened: OpenedDriver) {
    this.#map = map;
    this.#settings = settings;
    this.#opened = opened;
    const counters = this.#counters;
    const origin = new Origin(settings.source);
    this.#decoder = new EventDecoder({ ...settings, onInvalid: () => counters.invalid++ });
    this.#publisher = new Publisher({ map, settings, opened, origin, counters });
    const parts = { map, settings, opened, origin, counters, decoder: this.#decoder };
    this.#subscriptions = new Subscriptions(parts);
    this.#consumers = new Consumers(parts);
  }

  /** Tells the figures from now on to whoever collects. */
  observe(): void {
    const source = busSource(() => this.stats());
    this.#stopObserving = observeOrUndo(this.#settings.telemetry, source, () => this.close());
  }

  publish(...given: Parameters<Publisher['publish']>): ReturnType<Publisher['publish']> {
    return this.#publisher.publish(...given);
  }

  subscribe(...given: Parameters<Subscriptions['subscribe']>): ReturnType<Subscriptions['subscribe']> {
    return this.#subscriptions.subscribe(...given);
  }

  on(...given: Parameters<Subscriptions['on']>): ReturnType<Subscriptions['on']> {
    return this.#subscriptions.on(...given);
  }

  once(...given: Parameters<Subscriptions['once']>): ReturnType<Subscriptions['once']> {
    return this.#subscriptions.once(...given);
  }

  consume(...given: Parameters<Consumers['consume']>): ReturnType<Consumers['consume']> {
    return this.#consumers.consume(...given);
  }

  async lag(channel: string, group: string): Promise<GroupState> {
    requireGroup(group);
    return this.#opened.driver.state(this.#durable(channel).stream, group);
  }

  deadLetters(channel: string, options: DeadLetterOptions = {}): DeadLetters {
    const { driver } = this.#opened;
    return deadLettersOf({ ...this.#durable(channel), options, store: driver.deadLetters, decoder: this.#decoder });
  }

  streams(): BusStream[] {
    const { driver, names } = this.#opened;
    if (this.#closing !== undefined) return [];
    return this.#map.streams.map(({ name: { name } }) =>
      busStream(name, names.stream(name), driver, this.deadLetters(name)),
    );
  }

  ready(timeout?: Duration): Promise<void> {
    return this.#opened.ready(timeout);
  }

  stats(): BusStats {
    return { ...this.#counters, subscriptions: this.#subscriptions.size, consumers: this.#consumers.size };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopObserving?.();
    this.#publisher.close();
    this.#subscriptions.close();
    await this.#consumers.close();
    await this.#opened.close();
  }

  #durable(channel: string): { readonly stream: string; readonly known: KnownChannel } {
    const [known, ...others] = this.#map.durable(channel);
    if (known === undefined || others.length > 0)
      throw busError('ERR_BUS_CHANNEL', 'one channel is needed here, no pattern');
    return { stream: this.#opened.names.stream(known.name.name), known };
  }
}
