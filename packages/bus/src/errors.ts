import { TierkitError } from '@tierkit/core';

/** The codes of this package's errors; those of Redis and of durations come from `@tierkit/redis` and `@tierkit/core`. */
export type BusErrorCode =
  /** An option is missing, unknown or has a bad value; the message names all of them. */
  | 'ERR_BUS_OPTIONS'
  /** No channel has this name, no channel matches the pattern, or it is not of the kind that the call needs. */
  | 'ERR_BUS_CHANNEL'
  /** What is published does not pass the channel's schema, or the schema throws. */
  | 'ERR_BUS_SCHEMA'
  /** What is published cannot be encoded, or is larger than `maxPayloadBytes`. */
  | 'ERR_BUS_PAYLOAD'
  /** A subscriber lagged behind its bounds and is set to be disconnected then. */
  | 'ERR_BUS_OVERFLOW'
  /** The bus, the subscription or the consumer was closed. */
  | 'ERR_BUS_CLOSED'
  /** No event came within the timeout of `once`, or a subscription or consumer was not in effect within `readyTimeout`. */
  | 'ERR_BUS_TIMEOUT'
  /** A position is none that an event had. */
  | 'ERR_BUS_POSITION';

export function busError<Code extends BusErrorCode>(
  code: Code,
  message: string,
  options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
): TierkitError<Code> {
  return new TierkitError(code, message, options);
}

export function closedError(): TierkitError<'ERR_BUS_CLOSED'> {
  return busError('ERR_BUS_CLOSED', 'the bus was closed');
}
