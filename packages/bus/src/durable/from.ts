import type { ChannelMap, KnownChannel, Route } from '../channels/channel-map.ts';
import { busError } from '../errors.ts';
import type { Start } from '../drivers/driver.ts';
import { parsePosition } from '../drivers/stream-id.ts';

/**
 * Where to begin in a durable channel: with what is published from now on, with the oldest that is kept, behind an event
 * by its `position`, or at a time, as a Date or in milliseconds since 1970 by Redis's clock.
 */
export type From = 'now' | 'start' | { readonly position: string } | { readonly time: Date | number };

/** The latest time that a Date can have. */
const LAST_MS = 8.64e15;

/** @throws {TierkitError} `ERR_BUS_POSITION` */
export function startOf(from: From): Start {
  if (from === 'now' || from === 'start') return from;
  if (typeof from === 'object' && from !== null) {
    if ('position' in from) return parsePosition(from.position);
    if ('time' in from && (typeof from.time === 'number' || from.time instanceof Date)) {
      const timeMs = Number(from.time);
      if (timeMs >= 0 && timeMs <= LAST_MS) return { timeMs };
    }
  }
  throw busError('ERR_BUS_POSITION', "from must be 'now', 'start', a position or a time");
}

/**
 * Where to begin in each durable channel that is listened to.
 *
 * @throws {TierkitError} `ERR_BUS_POSITION`; `ERR_BUS_CHANNEL`: a place is given for a channel that there is not
 */
export function startsOf(
  from: From | Readonly<Record<string, From>> | undefined,
  routes: readonly Route[],
  map: ChannelMap,
): Map<KnownChannel, Start> {
  const byName = typeof from === 'object' && from !== null && !('position' in from || 'time' in from);
  if (byName) for (const name of Object.keys(from)) map.require(name);
  const starts = new Map<KnownChannel, Start>();
  for (const { known } of routes) {
    if (known.channel.kind !== 'durable') continue;
    const { name } = known.name;
    const own = byName ? (Object.hasOwn(from, name) ? from[name] : undefined) : (from as From | undefined);
    starts.set(known, startOf(own === undefined ? 'now' : own));
  }
  return starts;
}
