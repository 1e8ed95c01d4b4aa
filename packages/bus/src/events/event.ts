import type { ConcreteName, ParamsOf } from '../channels/channel-types.ts';

/** What was published, with the names that CloudEvents gives to such things. */
export interface BusEvent<Type extends string = string, Data = unknown> {
  /** The channel as the map of channels has it, parameters in braces: tells the types of a union apart. */
  readonly type: Type;
  /** The channel with its parameters filled in. A value with `:` in it is told exactly by `params` only. */
  readonly channel: ConcreteName<Type>;
  readonly params: ParamsOf<Type>;
  /** The schema's output, else what was published. Each subscriber has its own copy. */
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

export const jsonCodec: BusCodec = {
  encode: (envelope) => JSON.stringify(envelope),
  decode: (bytes) => JSON.parse(bytes.toString()) as unknown,
};
