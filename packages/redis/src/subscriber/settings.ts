import { safeLogger, systemClock, type Clock, type Logger } from '@tierkit/core';
import { randomBytes } from 'node:crypto';

export interface SubscriberOptions {
  /** Goes before the name of the channel for heartbeats, so that an ACL by prefix covers it. @default '' */
  readonly prefix?: string;
  /** What the subscriber is called in logs and errors. @default 'subscriber' */
  readonly name?: string;
  /** Silence after which a connection counts as lost, in milliseconds. @default 3000 */
  readonly timeoutMs?: number;
  /** Time between two beats, in milliseconds. @default a third of `timeoutMs` */
  readonly heartbeatMs?: number;
  readonly logger?: Logger;
  /** Whose monotonic time `serverOffsetMs` is relative to. @default the system's */
  readonly clock?: Clock;
}

/** Options with their defaults. */
export interface SubscriberSettings {
  readonly name: string;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly beatChannel: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export function subscriberSettings(options: SubscriberOptions): SubscriberSettings {
  const timeoutMs = options.timeoutMs ?? 3_000;
  return {
    name: options.name ?? 'subscriber',
    timeoutMs,
    heartbeatMs: options.heartbeatMs ?? timeoutMs / 3,
    beatChannel: `${options.prefix ?? ''}{tierkit}beat:${randomBytes(9).toString('base64url')}`,
    logger: safeLogger(options.logger),
    clock: options.clock ?? systemClock,
  };
}

const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 1_000;

/** How long to wait before attempt number `attempts` to connect, with jitter. */
export function reconnectDelayMs(attempts: number): number {
  return Math.min(RECONNECT_MIN_MS * 2 ** Math.min(attempts, 6), RECONNECT_MAX_MS) * (0.5 + Math.random());
}
