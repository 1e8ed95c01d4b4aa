import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Logger } from '@tierkit/core';
import type { KnownChannel, Resolved } from '../channels/channel-map.ts';
import { isThenable } from '../thenable.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import type { BusCodec, BusEvent } from './event.ts';

export interface DecoderOptions {
  readonly codec: BusCodec;
  readonly maxPayloadBytes: number;
  readonly logger: Logger;
  readonly onInvalid: () => void;
}

/** Bytes that came, and where from. */
export interface Received {
  readonly known: KnownChannel;
  readonly bytes: Buffer;
  /** The channel, if it is known before the message is read. */
  readonly exact: Resolved | undefined;
  /** Else the encoded name that it came under. */
  readonly encoded?: string;
  /** Of a durable channel. */
  readonly position?: string;
}

/** Turns bytes into events; whatever the bytes are, it returns undefined for what is none and counts it. */
export class EventDecoder {
  readonly #options: DecoderOptions;

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  decode(received: Received): BusEvent | undefined | Promise<BusEvent | undefined> {
    const envelope = decodeEnvelope(this.#options.codec, received.bytes, this.#options.maxPayloadBytes);
    if (envelope === undefined) return this.#invalid(received, 'it cannot be decoded');
    const { known } = received;
    const params =
      received.exact?.params ??
      (known.name.literal ? NO_PARAMS : known.name.decode(received.encoded ?? known.name.name));
    if (params === undefined) return this.#invalid(received, 'its channel has other parameters');
    const { schema } = known.channel;
    if (schema === undefined) return eventOf(received, params, envelope, envelope.data);
    const judge = (judged: StandardSchemaV1.Result<unknown>): BusEvent | undefined =>
      judged.issues === undefined
        ? eventOf(received, params, envelope, judged.value)
        : this.#invalid(received, 'it does not pass the schema');
    const broken = (): undefined => this.#invalid(received, 'its schema throws');
    try {
      const result = schema['~standard'].validate(envelope.data);
      return isThenable(result) ? Promise.resolve(result).then(judge).catch(broken) : judge(result);
    } catch {
      return broken();
    }
  }

  #invalid({ known }: Received, reason: string): undefined {
    this.#options.onInvalid();
    this.#options.logger.warn({ channel: known.name.name, reason }, 'a message is dropped');
  }
}

const NO_PARAMS = Object.freeze({});

function eventOf(
  { known, exact, position }: Received,
  params: Readonly<Record<string, string>>,
  { id, time, source, traceparent }: Envelope,
  data: unknown,
): BusEvent {
  const type = known.name.name;
  const channel = exact?.shown ?? (known.name.literal ? type : known.name.show(params));
  // Written out, as spreading costs as much as all the rest.
  if (traceparent === undefined) {
    if (position === undefined) return { type, channel, params, data, id, time, source };
    return { type, channel, params, data, id, time, source, position };
  }
  if (position === undefined) return { type, channel, params, data, id, time, source, traceparent };
  return { type, channel, params, data, id, time, source, traceparent, position };
}
