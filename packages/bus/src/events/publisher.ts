import { checkData } from '../channels/check-data.ts';
import type { ChannelMap, Resolved } from '../channels/channel-map.ts';
import type { Counters } from '../counters.ts';
import { formatPosition } from '../drivers/stream-id.ts';
import { busError, closedError } from '../errors.ts';
import type { OpenedDriver } from '../open-driver.ts';
import type { BusSettings } from '../options.ts';
import { encodeEnvelope, isHeader } from './envelope.ts';
import type { Origin } from './origin.ts';

export interface PublishOptions {
  /** The event's id, 512 characters at the most, for publishing the same event again. @default a new one */
  readonly id?: string;
  /** The W3C trace context. @default that of the bus's `traceparent` */
  readonly traceparent?: string;
}

/** What became of an event. */
export interface Published {
  readonly id: string;
  /** False for an ephemeral event that could not be sent, which is counted. */
  readonly sent: boolean;
  /** Of a durable event. */
  readonly position?: string;
}

export interface PublisherParts {
  readonly map: ChannelMap;
  readonly settings: BusSettings;
  readonly opened: OpenedDriver;
  readonly origin: Origin;
  readonly counters: Counters;
}

/** Checks, encodes and sends what is published. */
export class Publisher {
  readonly #parts: PublisherParts;
  #closed = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  async publish(
    name: string,
    data: unknown,
    options: PublishOptions & { readonly params?: Record<string, string | number> } = {},
  ): Promise<Published> {
    if (this.#closed) throw closedError();
    checkOptions(options);
    const { map, settings, origin } = this.#parts;
    const resolved = map.resolve(name, options.params);
    const { channel } = resolved;
    if (channel.kind === 'fed')
      throw busError('ERR_BUS_CHANNEL', `channel ${name} is fed by this process and not published on`);
    const checked = checkData(channel.schema, data, name);
    if (checked !== undefined) {
      await checked;
      if (this.#isClosed()) throw closedError();
    }
    const { codec, maxPayloadBytes, clock } = settings;
    const id = options.id ?? origin.newId();
    const traceparent = options.traceparent ?? this.#currentTrace();
    const envelope = {
      id,
      time: clock.now(),
      source: origin.source,
      ...(traceparent === undefined ? {} : { traceparent }),
      data,
    };
    const message = encodeEnvelope(codec, envelope, maxPayloadBytes);
    return channel.kind === 'ephemeral' ? this.#send(resolved, id, message) : this.#append(resolved, id, message);
  }

  close(): void {
    this.#closed = true;
  }

  async #send({ encoded, name }: Resolved, id: string, message: Buffer | string): Promise<Published> {
    const { opened, settings, counters } = this.#parts;
    try {
      await opened.driver.send(opened.names.channel(encoded), message);
    } catch (error) {
      counters.dropped++;
      settings.logger.warn({ error, channel: name.name }, 'an event could not be sent');
      return { id, sent: false };
    }
    counters.published++;
    return { id, sent: true };
  }

  async #append({ channel, encoded, name }: Resolved, id: string, message: Buffer | string): Promise<Published> {
    const { driver, names } = this.#parts.opened;
    const { retention } = channel as Extract<typeof channel, { kind: 'durable' }>;
    const subject = name.literal ? undefined : encoded;
    const position = await driver.append(names.stream(name.name), message, retention, subject);
    this.#parts.counters.published++;
    return { id, sent: true, position: formatPosition(position) };
  }

  /** What nobody could receive is left out: an event is worth more than its trace. */
  #currentTrace(): string | undefined {
    const { traceparent, logger } = this.#parts.settings;
    if (traceparent === undefined) return undefined;
    try {
      const current = traceparent();
      return isHeader(current) ? current : undefined;
    } catch (error) {
      logger.warn({ error }, 'traceparent of a bus threw');
      return undefined;
    }
  }

  // A method of its own, because the type checker takes the field for unchanged across an await.
  #isClosed(): boolean {
    return this.#closed;
  }
}

/** @throws {TierkitError} `ERR_BUS_OPTIONS` */
function checkOptions(options: PublishOptions): void {
  if (typeof options !== 'object' || options === null)
    throw busError('ERR_BUS_OPTIONS', 'publish takes an options object');
  const { id, traceparent } = options;
  if ((id !== undefined && !isHeader(id)) || (traceparent !== undefined && !isHeader(traceparent)))
    throw busError('ERR_BUS_OPTIONS', 'publish: id and traceparent must be text of 1 to 512 characters');
}
