import type { FedChannel } from '../channels/channel.ts';
import type { ChannelMap, KnownChannel, Route } from '../channels/channel-map.ts';
import type { Counters } from '../counters.ts';
import { startsOf } from '../durable/from.ts';
import { streamTail } from '../durable/stream-tail.ts';
import type { Start } from '../drivers/driver.ts';
import { busError, closedError } from '../errors.ts';
import type { OpenedDriver } from '../open-driver.ts';
import { BLOCK_MS, type BusSettings } from '../options.ts';
import { tracedHandler } from '../telemetry.ts';
import type { BusEvent } from './event.ts';
import type { EventDecoder } from './event-decoder.ts';
import { pump } from './handler-pump.ts';
import { Inbox, type Source } from './inbox.ts';
import type { Origin } from './origin.ts';
import { ephemeralSource, fedSource } from './sources.ts';
import { onceSettings, subscribeSettings, type OnceOptions, type SubscribeOptions } from './subscribe-options.ts';
import { subscriptionOver, type EventSubscription } from './subscription.ts';

/** Ends what it was given for. */
export interface Off {
  (): void;
  /** As `ready` of a subscription. */
  readonly ready: Promise<void>;
}

export interface SubscriptionsParts {
  readonly map: ChannelMap;
  readonly settings: BusSettings;
  readonly opened: OpenedDriver;
  readonly origin: Origin;
  readonly decoder: EventDecoder;
  readonly counters: Counters;
}

/** Those who listen on a bus, each on its own: as an iterator, by a handler, or for one event. */
export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  readonly #inboxes = new Set<Inbox>();
  #closed = false;

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#inboxes.size;
  }

  subscribe(channels: string | readonly string[], options: SubscribeOptions = {}): EventSubscription<BusEvent> {
    const { inbox, start } = this.#open(channels, options);
    const subscription = subscriptionOver(inbox);
    start();
    return subscription;
  }

  on(channels: string | readonly string[], handler: (event: BusEvent) => unknown, options: SubscribeOptions = {}): Off {
    if (typeof handler !== 'function') throw busError('ERR_BUS_OPTIONS', 'on needs a handler');
    const { settings, counters } = this.#parts;
    const { inbox, start } = this.#open(channels, options);
    pump(inbox, tracedHandler(settings.telemetry, handler), {
      logger: settings.logger,
      onFailure: () => counters.failures++,
    });
    start();
    return Object.assign(() => inbox.end(), { ready: inbox.ready });
  }

  async once(channels: string | readonly string[], options: OnceOptions = {}): Promise<BusEvent> {
    const { subscription: own, timeoutMs } = onceSettings(options);
    const subscription = this.subscribe(channels, own);
    let late = false;
    const end = (): void => {
      late = true;
      subscription.close();
    };
    const timer = timeoutMs === undefined ? undefined : this.#parts.settings.clock.setTimeout(end, timeoutMs);
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

  close(): void {
    this.#closed = true;
    for (const inbox of this.#inboxes) inbox.end();
  }

  /** An inbox, and what connects it once it is known who takes from it: a source may tell of something at once. */
  #open(
    channels: string | readonly string[],
    options: SubscribeOptions,
  ): { readonly inbox: Inbox; readonly start: () => void } {
    if (this.#closed) throw closedError();
    const { map, settings, origin, decoder, counters } = this.#parts;
    const { self, from, batch, signal, ...own } = subscribeSettings(options, settings);
    const routes = map.match(channels);
    const starts = startsOf(from, routes, map);
    const inbox = new Inbox({
      ...own,
      decoder,
      logger: settings.logger,
      clock: settings.clock,
      readyTimeoutMs: settings.readyTimeoutMs,
      without: self ? undefined : origin.source,
      onMissed: (count) => (counters.missed += count),
      onEnd: () => void this.#inboxes.delete(inbox),
    });
    this.#inboxes.add(inbox);
    const start = (): void => {
      const sources: Source[] = [];
      try {
        for (const route of routes) sources.push(this.#sourceOf(route, starts.get(route.known) ?? 'now', batch, inbox));
      } catch (error) {
        for (const source of sources) source.close();
        inbox.end();
        throw error;
      }
      inbox.start(sources, signal);
    };
    return { inbox, start };
  }

  #sourceOf(route: Route, start: Start, batch: number, inbox: Inbox): Source {
    const { origin, settings, opened } = this.#parts;
    const { driver, names } = opened;
    const { logger, clock } = settings;
    const { known } = route;
    if (known.channel.kind === 'ephemeral') return ephemeralSource(driver, names, route, inbox);
    if (known.channel.kind === 'durable') {
      const stream = names.stream(known.name.name);
      return streamTail({ driver, stream, route, start, batch, blockMs: BLOCK_MS, logger, clock }, inbox);
    }
    return fedSource(known as KnownChannel & { readonly channel: FedChannel }, inbox, { origin, logger, clock });
  }
}
