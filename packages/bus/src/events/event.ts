import type { ConcreteName, ParamsOf } from '../channels/channel-types.ts';

/** What was published, with the names that CloudEvents gives to such things. */
export interface BusEvent<Type extends string = string, Data = unknown> {
  /** The channel as the map of channels has it, parameters in braces: tells the types of a union apart. */
  readonly type: Type;
  /** The channel with its parameters filled in. A value with `:` in it is told exactly by `params` only. */
  readonly channel: ConcreteName<Type>;
  readonly params: ParamsOf<Type>;
  /** The schema's output, else what was published: a copy of each subscriber's own. Of a fed channel, what its source told. */
  readonly data: Data;
  /** Unique, and the same at every delivery. */
  readonly id: string;
  /** When it was published, in milliseconds since 1970 by the publisher's clock. */
  readonly time: number;
  /** The bus instance that published it. */
  readonly source: string;
  /** The W3C trace context that it was published in. */
  readonly traceparent?: string;
  /** Of a durable channel: read on from behind this event with `from`. */
  readonly position?: string;
}

/** Turns what is sent into bytes and back; an envelope of plain data, in which `data` is what was published. */
export interface BusCodec {
  encode(envelope: Readonly<Record<string, unknown>>): Buffer | string;
  /** It may throw, and may return anything: all of it is checked. */
  decode(bytes: Buffer): unknown;
}

/** Plain JSON: what that has no form for is refused, or arrives as JSON has it, such as a Date as its text. */
export const jsonCodec: BusCodec = {
  encode(envelope) {
    const text = JSON.stringify(envelope);
    // It leaves out functions and symbols, and then nobody could read the event. Within texts the quotes are escaped.
    if ('data' in envelope && !text.includes('"data":')) throw new TypeError('the data has no form in JSON');
    return text;
  },
  decode: (bytes) => JSON.parse(bytes.toString()) as unknown,
};
