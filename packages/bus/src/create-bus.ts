import { randomBytes } from 'node:crypto';
import { observeOrUndo, parseDuration, type Duration } from '@tierkit/core';
import type { Bus, BusStats, Consumer, Off, OnceOptions, Published, PublishOptions, SubscribeOptions } from './bus.ts';
import type { Channels, FedChannel } from './channels/channel.ts';
import { ChannelMap, type KnownChannel, type Resolved, type Route } from './channels/channel-map.ts';
import { checkData } from './channels/check-data.ts';
import { busStream, type BusStream } from './durable/bus-stream.ts';
import { consumerSettings, type ConsumeOptions } from './durable/consumer-options.ts';
import { deadLettersOf, type DeadLetterOptions, type DeadLetters } from './durable/dead-letters.ts';
import { startOf, type From } from './durable/from.ts';
import { GroupConsumer, type ConsumeContext } from './durable/group-consumer.ts';
import { streamTail } from './durable/stream-tail.ts';
import type { GroupState } from './drivers/driver.ts';
import { formatPosition } from './drivers/stream-id.ts';
import { busError } from './errors.ts';
import { encodeEnvelope } from './events/envelope.ts';
import type { BusEvent } from './events/event.ts';
import { EventDecoder } from './events/event-decoder.ts';
import { pump } from './events/handler-pump.ts';
import { Inbox, type Source } from './events/inbox.ts';
import { ephemeralSource, fedSource } from './events/sources.ts';
import { subscriptionOver, type EventSubscription } from './events/subscription.ts';
import { openDriver, type OpenedDriver } from './open-driver.ts';
import { busSource, tracedHandler } from './telemetry.ts';
import { busSettings, ownBounds, type BusOptions, type BusSettings } from './options.ts';

/** How long a blocking read waits at the server before it is sent again. */
const BLOCK_MS = 2_000;

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

type Counters = { -readonly [Name in keyof BusStats]: number };

class EventBus {
  readonly #map: ChannelMap;
  readonly #settings: BusSettings;
  readonly #opened: OpenedDriver;
  readonly #decoder: EventDecoder;
  readonly #source: string;
  readonly #inboxes = new Set<Inbox>();
  readonly #consumers = new Set<GroupConsumer>();
  readonly #counters: Counters = {
    published: 0,
    dropped: 0,
    invalid: 0,
    missed: 0,
    failures: 0,
    subscriptions: 0,
    consumers: 0,
  };
  readonly #instance = randomBytes(9).toString('base64url');
  #ids = 0;
  #stopObserving: (() => void) | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(map: ChannelMap, settings: BusSettings, opened: OpenedDriver) {
    this.#map = map;
    this.#settings = settings;
    this.#opened = opened;
    this.#source = `${settings.source}/${this.#instance}`;
    const { codec, maxPayloadBytes, logger } = settings;
    this.#decoder = new EventDecoder({ codec, maxPayloadBytes, logger, onInvalid: () => this.#counters.invalid++ });
  }

  /** Tells the figures from now on to whoever collects. */
  observe(): void {
    const source = busSource(() => this.stats());
    this.#stopObserving = observeOrUndo(this.#settings.telemetry, source, () => this.close());
  }

  async publish(
    name: string,
    data: unknown,
    options: PublishOptions & { readonly params?: Record<string, string | number> } = {},
  ): Promise<Published> {
    if (this.#closed) throw closed();
    const resolved = this.#map.resolve(name, options.params);
    const { channel } = resolved;
    if (channel.kind === 'fed')
      throw busError('ERR_BUS_CHANNEL', `channel ${name} is fed by this process and not published on`);
    const checked = checkData(channel.schema, data, name);
    if (checked !== undefined) await checked;
    const id = options.id ?? this.#newId();
    const traceparent = options.traceparent ?? this.#settings.traceparent?.();
    const envelope = {
      id,
      time: this.#settings.clock.now(),
      source: this.#source,
      ...(traceparent === undefined ? {} : { traceparent }),
      data,
    };
    const message = encodeEnvelope(this.#settings.codec, envelope, this.#settings.maxPayloadBytes);
    if (channel.kind === 'ephemeral') return this.#send(resolved, id, message);
    const subject = resolved.name.literal ? undefined : resolved.encoded;
    const stream = this.#opened.names.stream(resolved.name.name);
    const position = await this.#opened.driver.append(stream, message, channel.retention, subject);
    this.#counters.published++;
    return { id, sent: true, position: formatPosition(position) };
  }

  subscribe(channels: string | readonly string[], options: SubscribeOptions = {}): EventSubscription<BusEvent> {
    const opened = this.#open(channels, options);
    const subscription = subscriptionOver(opened.inbox);
    opened.start();
    return subscription;
  }

  on(channels: string | readonly string[], handler: (event: BusEvent) => unknown, options: SubscribeOptions = {}): Off {
    if (typeof handler !== 'function') throw busError('ERR_BUS_OPTIONS', 'on needs a handler');
    const opened = this.#open(channels, options);
    const { inbox } = opened;
    pump(inbox, tracedHandler(this.#settings.telemetry, handler), {
      logger: this.#settings.logger,
      onFailure: () => this.#counters.failures++,
    });
    opened.start();
    return Object.assign(() => inbox.end(), { ready: inbox.ready });
  }

  async once(channels: string | readonly string[], { timeout, ...options }: OnceOptions = {}): Promise<BusEvent> {
    const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, 'timeout');
    const subscription = this.subscribe(channels, options);
    let late = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#settings.clock.setTimeout(() => {
            late = true;
            subscription.close();
          }, timeoutMs);
    try {
      const { value } = await subscription.next();
      if (value !== undefined) return value;
      throw late
        ? busError('ERR_BUS_TIMEOUT', `no event came within ${timeoutMs} ms`)
        : busError('ERR_BUS_CLOSED', 'the wait for an event was ended');
    } finally {
      timer?.cancel();
      subscription.close();
    }
  }

  consume(
    channels: string | readonly string[],
    options: ConsumeOptions,
    handler: (event: BusEvent, context: ConsumeContext) => unknown,
  ): Consumer {
    if (this.#closed) throw closed();
    const settings = consumerSettings(options);
    if (typeof handler !== 'function') throw busError('ERR_BUS_OPTIONS', 'consume needs a handler');
    const start = startOf(options.from ?? 'now');
    const known = this.#map.whole(channels);
    for (const { name, channel } of known) requireDurable(name.name, channel.kind);
    const consumers = known.map((one) => this.#consumer(one, settings, start, handler));
    const close = async (): Promise<void> => {
      options.signal?.removeEventListener('abort', abort);
      await Promise.all(
        consumers.map(async (consumer) => {
          await consumer.close();
          this.#consumers.delete(consumer);
        }),
      );
    };
    const abort = (): void => void close();
    if (options.signal?.aborted === true) abort();
    else options.signal?.addEventListener('abort', abort, { once: true });
    return { ready: Promise.all(consumers.map(({ ready }) => ready)).then(() => undefined), close };
  }

  async lag(channel: string, group: string): Promise<GroupState> {
    return this.#opened.driver.state(this.#durable(channel).stream, group);
  }

  deadLetters(channel: string, { group }: DeadLetterOptions = {}): DeadLetters {
    const { stream, known } = this.#durable(channel);
    const retention =
      known.channel.kind === 'durable' ? known.channel.retention : { maxLength: 1, maxAgeMs: undefined };
    const { decoder } = { decoder: this.#decoder };
    return deadLettersOf({ store: this.#opened.driver.deadLetters, stream, known, retention, decoder, group });
  }

  streams(): BusStream[] {
    const { driver, names } = this.#opened;
    const durable = this.#map.match('*').filter(({ known }) => known.channel.kind === 'durable');
    return durable.map(({ known: { name } }) =>
      busStream(name.name, names.stream(name.name), driver, this.deadLetters(name.name)),
    );
  }

  ready(timeout?: Duration): Promise<void> {
    return this.#opened.ready(timeout);
  }

  stats(): BusStats {
    return { ...this.#counters, subscriptions: this.#inboxes.size, consumers: this.#consumers.size };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#stopObserving?.();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const inbox of this.#inboxes) inbox.end();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    this.#consumers.clear();
    await this.#opened.close();
  }

  async #send({ encoded, name }: Resolved, id: string, message: Buffer | string): Promise<Published> {
    const { driver, names } = this.#opened;
    try {
      await driver.send(names.channel(encoded), message);
    } catch (error) {
      this.#counters.dropped++;
      this.#settings.logger.warn({ error, channel: name.name }, 'an event could not be sent');
      return { id, sent: false };
    }
    this.#counters.published++;
    return { id, sent: true };
  }

  #open(channels: string | readonly string[], options: SubscribeOptions): { readonly inbox: Inbox; start(): void } {
    if (this.#closed) throw closed();
    const { batch = 100, from = 'now' } = options;
    if (!Number.isSafeInteger(batch) || batch < 1)
      throw busError('ERR_BUS_OPTIONS', 'batch must be a whole number above 0');
    const bounds = ownBounds(options, this.#settings);
    const routes = this.#map.match(channels);
    const starts = routes.map(({ known }) =>
      known.channel.kind === 'durable' ? startOf(fromFor(from, known)) : undefined,
    );
    const inbox = new Inbox({
      ...bounds,
      decoder: this.#decoder,
      logger: this.#settings.logger,
      clock: this.#settings.clock,
      readyTimeoutMs: this.#settings.readyTimeoutMs,
      without: options.self === false ? this.#source : undefined,
      onGap: options.onGap,
      onMissed: (count) => (this.#counters.missed += count),
      onEnd: () => void this.#inboxes.delete(inbox),
    });
    this.#inboxes.add(inbox);
    const start = (): void => {
      const sources: Source[] = [];
      try {
        for (const [i, route] of routes.entries())
          sources.push(this.#sourceOf(route, starts[i] ?? 'now', batch, inbox));
      } catch (error) {
        for (const source of sources) source.close();
        inbox.end();
        throw error;
      }
      inbox.start(sources, options.signal);
    };
    return { inbox, start };
  }

  #sourceOf(route: Route, start: ReturnType<typeof startOf>, batch: number, inbox: Inbox): Source {
    const { driver, names } = this.#opened;
    const { known } = route;
    const { logger, clock } = this.#settings;
    if (known.channel.kind === 'ephemeral') return ephemeralSource(driver, names, route, inbox);
    if (known.channel.kind === 'durable') {
      const stream = names.stream(known.name.name);
      return streamTail({ driver, stream, route, start, batch, blockMs: BLOCK_MS, logger, clock }, inbox);
    }
    return fedSource(known as KnownChannel & { readonly channel: FedChannel }, inbox, (data) => {
      const { name } = known.name;
      return {
        type: name,
        channel: name,
        params: {},
        data,
        id: this.#newId(),
        time: clock.now(),
        source: this.#source,
      };
    });
  }

  #consumer(
    known: KnownChannel,
    settings: ReturnType<typeof consumerSettings>,
    start: ReturnType<typeof startOf>,
    handler: (event: BusEvent, context: ConsumeContext) => unknown,
  ): GroupConsumer {
    const { driver, names } = this.#opened;
    const { logger, clock } = this.#settings;
    const consumer = new GroupConsumer({
      driver,
      stream: names.stream(known.name.name),
      known,
      start,
      consumer: `${this.#source}/${(this.#ids++).toString(36)}`,
      settings,
      handler: tracedHandler(this.#settings.telemetry, handler),
      decoder: this.#decoder,
      blockMs: BLOCK_MS,
      logger,
      clock,
      onFailure: () => this.#counters.failures++,
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  #durable(channel: string): { readonly stream: string; readonly known: KnownChannel } {
    const [known, ...others] = this.#map.whole(channel);
    if (known === undefined || others.length > 0)
      throw busError('ERR_BUS_CHANNEL', 'one channel is needed here, no pattern');
    requireDurable(channel, known.channel.kind);
    return { stream: this.#opened.names.stream(known.name.name), known };
  }

  #newId(): string {
    return `${this.#instance}-${(this.#ids++).toString(36)}`;
  }
}

function fromFor(from: From | Readonly<Record<string, From>>, { name }: KnownChannel): From {
  if (typeof from !== 'object' || from === null || 'position' in from || 'time' in from) return from as From;
  return Object.hasOwn(from, name.name) ? (from[name.name] as From) : 'now';
}

function requireDurable(name: string, kind: string): void {
  if (kind !== 'durable') throw busError('ERR_BUS_CHANNEL', `channel ${name} is not durable`);
}

function closed(): Error {
  return busError('ERR_BUS_CLOSED', 'the bus was closed');
}
