import type { Duration } from '@tierkit/core';
import type { From } from '../durable/from.ts';
import { Faults } from '../faults.ts';
import { queueBounds } from '../options.ts';
import type { Overflow, QueueBounds } from './event-queue.ts';
import type { Gap } from './gap.ts';

export interface SubscribeOptions {
  /** Ends the subscription; a loop over it ends then. */
  readonly signal?: AbortSignal;
  /** False leaves out what this bus itself publishes. @default true */
  readonly self?: boolean;
  /** Where to begin in durable channels; for several of them, by their names in the map. @default 'now' */
  readonly from?: From | Readonly<Record<string, From>>;
  /** Is told what is missing, in its place among the events. @default a warning to the logger */
  readonly onGap?: (gap: Gap) => void;
  /** Events that wait, at the most. @default that of the bus */
  readonly maxQueue?: number;
  /** Their encoded size in bytes, at the most. @default that of the bus */
  readonly maxQueueBytes?: number;
  /** @default that of the bus */
  readonly overflow?: Overflow;
  /** Entries of a durable channel that are read at once; they come on top of the bounds. @default 100 */
  readonly batch?: number;
}

export interface OnceOptions extends Pick<SubscribeOptions, 'signal' | 'self'> {
  /** @default no limit */
  readonly timeout?: Duration;
}

/** Options after validation. */
export interface SubscribeSettings extends QueueBounds {
  readonly signal: AbortSignal | undefined;
  readonly self: boolean;
  readonly from: SubscribeOptions['from'];
  readonly onGap: ((gap: Gap) => void) | undefined;
  readonly batch: number;
}

const KNOWN: Readonly<Record<keyof SubscribeOptions, true>> = {
  signal: true,
  self: true,
  from: true,
  onGap: true,
  maxQueue: true,
  maxQueueBytes: true,
  overflow: true,
  batch: true,
};
const KNOWN_ONCE: Readonly<Record<keyof OnceOptions, true>> = { signal: true, self: true, timeout: true };

/** @throws {TierkitError} `ERR_BUS_OPTIONS` naming every fault */
export function subscribeSettings(options: SubscribeOptions, fallback: QueueBounds): SubscribeSettings {
  const faults = new Faults(options, KNOWN, 'subscribe: ');
  const { self = true, from, onGap } = options ?? {};
  faults.expect(typeof self === 'boolean', 'self must be true or false');
  faults.expect(onGap === undefined || typeof onGap === 'function', 'onGap must be a function');
  const settings: SubscribeSettings = {
    ...queueBounds(options ?? {}, fallback, faults),
    signal: faults.signal(),
    self,
    from,
    onGap,
    batch: faults.whole('batch', 100),
  };
  faults.throwIfAny();
  return settings;
}

/** @returns the options of its subscription, and how long to wait @throws {TierkitError} `ERR_BUS_OPTIONS` */
export function onceSettings(options: OnceOptions): {
  readonly subscription: SubscribeOptions;
  readonly timeoutMs: number | undefined;
} {
  const faults = new Faults(options, KNOWN_ONCE, 'once: ');
  const { timeout, ...subscription } = options ?? {};
  const timeoutMs = timeout === undefined ? undefined : faults.duration('timeout', 1);
  faults.throwIfAny();
  return { subscription, timeoutMs };
}
