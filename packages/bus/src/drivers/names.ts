/** Where a bus's channels and streams are in Redis. */
export interface BusNames {
  /** Of an ephemeral channel; channels ignore databases, so it names the database. */
  channel(encoded: string): string;
  /** The encoded name in a channel's. */
  encodedOf(channel: string): string;
  /** Of a durable channel: the stream. Braces keep a stream and what belongs to it in one slot, out of reach of user keys. */
  stream(name: string): string;
}

export function busNames(prefix: string, db: number): BusNames {
  const before = `${prefix}bus:${db}:`;
  return {
    channel: (encoded) => before + encoded,
    encodedOf: (channel) => channel.slice(before.length),
    stream: (name) => `${prefix}bus:{${name.replaceAll('{', '%7B').replaceAll('}', '%7D')}}`,
  };
}

/** What belongs to a stream, in its slot. */
export const countKey = (stream: string): string => `${stream}count`;
export const deadKey = (stream: string): string => `${stream}dead`;
export const lostKey = (stream: string): string => `${stream}lost`;
