import { busError } from '../errors.ts';
import type { Start } from '../drivers/driver.ts';
import { parsePosition } from '../drivers/stream-id.ts';

/**
 * Where to begin in a durable channel: with what is published from now on, with the oldest that is kept, behind an event
 * by its `position`, or at a time, as a Date or in milliseconds since 1970 by Redis's clock.
 */
export type From = 'now' | 'start' | { readonly position: string } | { readonly time: Date | number };

/** @throws {TierkitError} `ERR_BUS_POSITION` */
export function startOf(from: From): Start {
  if (from === 'now' || from === 'start') return from;
  if (typeof from === 'object' && from !== null) {
    if ('position' in from) return parsePosition(from.position);
    if ('time' in from) {
      const timeMs = Number(from.time);
      if (Number.isFinite(timeMs) && timeMs >= 0) return { timeMs };
    }
  }
  throw busError('ERR_BUS_POSITION', "from must be 'now', 'start', a position or a time");
}
