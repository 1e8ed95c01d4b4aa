import {
  combineTelemetry,
  safeLogger,
  systemClock,
  type Clock,
  type Duration,
  type Logger,
  type Telemetry,
} from '@tierkit/core';
import type { RedisConnection, RedisInput } from '@tierkit/redis';
import { MemoryBroker } from './drivers/memory-broker.ts';
import { jsonCodec, type BusCodec } from './events/event.ts';
import type { Overflow, QueueBounds } from './events/event-queue.ts';
import { Faults } from './faults.ts';

/** How long a blocking read waits at the server before it is sent again. */
export const BLOCK_MS = 2_000;

/** A URL, options, a client or a connection; `'memory'` or a `memoryBroker()` that several buses share keeps to this process. */
export type BusBackend = RedisInput | RedisConnection | MemoryBroker;

export interface BusOptions {
  /** Where messages go. A connection that was made elsewhere is not closed with the bus. */
  readonly redis: BusBackend;
  /** A Redis that evicts nothing, for durable channels. @default that of `redis` */
  readonly durableRedis?: RedisInput | RedisConnection;
  /** Goes before every channel and key: letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string;
  /** What this service is called in the `source` of its events; an id of the instance is added. @default 'tierkit' */
  readonly source?: string;
  /** @default JSON */
  readonly codec?: BusCodec;
  /** The largest encoded event in bytes, to send and to read. @default 1 MiB */
  readonly maxPayloadBytes?: number;
  /** Events that wait for a subscriber, at the most. @default 1000 */
  readonly maxQueue?: number;
  /** Their encoded size in bytes, at the most. @default 16 MiB */
  readonly maxQueueBytes?: number;
  /** What happens to an event for a subscriber whose queue is full. @default 'dropOldest' */
  readonly overflow?: Overflow;
  /** How long `ready` of a subscription or consumer waits. @default '5s' */
  readonly readyTimeout?: Duration;
  /** Silence after which the connection of subscribers counts as lost. @default '3s' */
  readonly feedTimeout?: Duration;
  /**
   * On a Cluster, sends each ephemeral event through one master instead of all nodes; Redis 7. Patterns over parameters
   * are refused then. @default false
   */
  readonly sharded?: boolean;
  /** The W3C trace context that an event is published in. @default that of `telemetry` */
  readonly traceparent?: () => string | undefined;
  /**
   * Who is told numbers and traces: one or several of `@tierkit/telemetry`. Events then carry the trace that they are published
   * in, and handlers run within it. @default nobody
   */
  readonly telemetry?: Telemetry | readonly Telemetry[];
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** Options after validation. */
export interface BusSettings extends QueueBounds {
  readonly prefix: string;
  readonly source: string;
  readonly codec: BusCodec;
  readonly maxPayloadBytes: number;
  readonly readyTimeoutMs: number;
  readonly feedTimeoutMs: number;
  readonly sharded: boolean;
  readonly traceparent: (() => string | undefined) | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

const KNOWN: Readonly<Record<keyof BusOptions, true>> = {
  redis: true,
  durableRedis: true,
  prefix: true,
  source: true,
  codec: true,
  maxPayloadBytes: true,
  maxQueue: true,
  maxQueueBytes: true,
  overflow: true,
  readyTimeout: true,
  feedTimeout: true,
  sharded: true,
  traceparent: true,
  telemetry: true,
  logger: true,
  clock: true,
};
const OVERFLOWS: readonly Overflow[] = ['dropOldest', 'dropNewest', 'disconnect'];

/** @throws {TierkitError} `ERR_BUS_OPTIONS` naming every fault */
export function busSettings(options: BusOptions): BusSettings {
  const faults = new Faults(options, KNOWN, 'createBus: ');
  if (typeof options !== 'object' || options === null) faults.throwIfAny();
  const { redis, durableRedis, prefix = '', source = 'tierkit', codec = jsonCodec, traceparent, sharded } = options;
  faults.expect(redis !== undefined && redis !== null, "redis must say where, or be 'memory'");
  faults.expect(
    durableRedis === undefined || !(redis === 'memory' || redis instanceof MemoryBroker),
    'durableRedis has no meaning in memory',
  );
  faults.expect(
    typeof prefix === 'string' && /^[\w.:-]{0,128}$/.test(prefix),
    'prefix takes letters, digits and _ . : - only, 128 characters at most',
  );
  faults.expect(typeof source === 'string' && source !== '' && source.length <= 256, 'source must be a name');
  faults.expect(
    typeof codec?.encode === 'function' && typeof codec.decode === 'function',
    'codec must encode and decode',
  );
  faults.expect(traceparent === undefined || typeof traceparent === 'function', 'traceparent must be a function');
  faults.expect(sharded === undefined || typeof sharded === 'boolean', 'sharded must be true or false');
  const telemetry = combineTelemetry(options.telemetry);
  const settings: BusSettings = {
    prefix,
    source,
    codec,
    traceparent: traceparent ?? (telemetry && (() => telemetry.traceHeaders?.()?.traceparent)),
    telemetry,
    sharded: sharded === true,
    ...queueBounds(options, { maxQueue: 1_000, maxQueueBytes: 16_777_216, overflow: 'dropOldest' }, faults),
    maxPayloadBytes: faults.whole('maxPayloadBytes', 1_048_576),
    readyTimeoutMs: faults.duration('readyTimeout', 5_000),
    feedTimeoutMs: faults.duration('feedTimeout', 3_000),
    logger: safeLogger(options.logger),
    clock: options.clock ?? (options.redis instanceof MemoryBroker ? options.redis.clock : systemClock),
  };
  faults.throwIfAny();
  return settings;
}

type BoundOptions = Partial<Pick<BusOptions, 'maxQueue' | 'maxQueueBytes' | 'overflow'>>;

/** How much may wait for a subscriber. */
export function queueBounds(options: BoundOptions, fallback: QueueBounds, faults: Faults): QueueBounds {
  const overflow = options.overflow ?? fallback.overflow;
  faults.expect(OVERFLOWS.includes(overflow), `overflow must be one of ${OVERFLOWS.join(', ')}`);
  return {
    maxQueue: faults.whole('maxQueue', fallback.maxQueue),
    maxQueueBytes: faults.whole('maxQueueBytes', fallback.maxQueueBytes),
    overflow,
  };
}
