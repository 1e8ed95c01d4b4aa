import { parseDuration, TierkitError, LONGEST_TIMER_MS, type Duration, type Key } from '@tierkit/core';

/** One write for the sink: the latest of its key when the batch was made. */
export type WriteBehindItem<T = unknown> = {
  /** The tier and the id of the scope; the global tier has no id. */
  readonly tier: string;
  readonly scope: string | undefined;
  readonly key: Key;
  /**
   * Above that of every earlier write of the key, as long as the clock of Redis does not go back. A sink that keeps it and
   * takes only what has a higher one never goes backwards, whatever crashes and is repeated.
   */
  readonly version: number;
  /** When it was acknowledged, by Redis's clock, in milliseconds since 1970. */
  readonly enqueuedAtMs: number;
} & ({ readonly deleted: false; readonly value: T } | { readonly deleted: true; readonly value: undefined });

export interface FlushContext {
  /** Aborted when the flush takes too long, loses its lease, or the queue is closed and out of time. */
  readonly signal: AbortSignal;
}

export interface WriteBehindOptions<T = unknown> {
  /**
   * Writes a batch into the source of truth: each key once, of all scopes. It rejects unless all of it is there. It may be
   * called again with what it has written already, so that it should take a write only if its version is higher.
   */
  readonly flush: (batch: readonly WriteBehindItem<T>[], context: FlushContext) => unknown;
  readonly batch?: {
    /** Items of a flush at the most. @default 500 */
    readonly size?: number;
    /** How long the first write of a batch waits for others, unless the batch is full. @default '50ms' */
    readonly age?: Duration;
    /** Encoded bytes of a flush, about. @default 4 MiB */
    readonly bytes?: number;
  };
  readonly retry?: {
    /** How often an item may fail by itself, while others are taken, before it is a dead letter. @default 8 */
    readonly attempts?: number;
    /** The wait after the first failure, which doubles with each one. @default '200ms' */
    readonly backoff?: Duration;
    /** @default '30s' */
    readonly maxBackoff?: Duration;
    /** When nothing else is there to tell a bad item from a sink that is away: how old it may get. @default '1d' */
    readonly giveUpAfter?: Duration;
  };
  /** The longest that a flush may take. @default '30s' */
  readonly flushTimeout?: Duration;
  /** When a worker is silent for so long, others take over its batch. @default '15s' */
  readonly lease?: Duration;
  /** How often it is looked after writes that other processes left behind. @default '1s' */
  readonly poll?: Duration;
  /** Keys that may be pending; more writes are refused, in time for what the last `poll` knew. @default 100_000 */
  readonly maxBacklog?: number;
  /** About how many dead letters are kept; the oldest go. @default 10_000 */
  readonly maxDeadLetters?: number;
  /** How long `close` waits for what this process wrote. @default '3s' */
  readonly drainTimeout?: Duration;
  /** Whether this process flushes; if not, `flush` is not called here. @default true */
  readonly worker?: boolean;
}

/** Times in milliseconds. */
export interface QueueSettings {
  readonly flush: (batch: readonly WriteBehindItem[], context: FlushContext) => unknown;
  readonly batchSize: number;
  readonly batchAgeMs: number;
  readonly batchBytes: number;
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly giveUpAfterMs: number;
  readonly flushTimeoutMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly maxBacklog: number;
  readonly maxDeadLetters: number;
  readonly drainTimeoutMs: number;
  readonly worker: boolean;
}

const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  batch: ['size', 'age', 'bytes'],
  retry: ['attempts', 'backoff', 'maxBackoff', 'giveUpAfter'],
};
const KNOWN = new Set([
  ...['flush', 'batch', 'retry', 'flushTimeout', 'lease', 'poll'],
  ...['maxBacklog', 'maxDeadLetters', 'drainTimeout', 'worker'],
]);

/** @throws {TierkitError} `ERR_CACHE_OPTIONS`, which names all faults */
export function queueSettings(name: string, options: WriteBehindOptions<never>): QueueSettings {
  const faults: string[] = [];
  if (typeof name !== 'string' || !/^[a-z][\w-]{0,63}$/i.test(name))
    faults.push('its name takes letters, digits, _ and - after a letter, 64 at most');
  if (typeof options !== 'object' || options === null)
    throw invalid(name, [...faults, 'options with a flush are needed']);
  for (const [section, known] of Object.entries(SECTIONS)) {
    const given: unknown = Reflect.get(options, section);
    if (given !== undefined && (typeof given !== 'object' || given === null))
      faults.push(`${section} must be an object`);
    for (const key of Object.keys(given ?? {}))
      if (!known.includes(key)) faults.push(`${section}.${key} is not an option`);
  }
  for (const key of Object.keys(options)) if (!KNOWN.has(key)) faults.push(`${key} is not an option`);
  if (typeof options.flush !== 'function') faults.push('flush must be a function');
  if (options.worker !== undefined && typeof options.worker !== 'boolean') faults.push('worker must be true or false');
  const ms = (value: Duration | undefined, fallback: number, option: string): number =>
    checked(faults, fallback, () =>
      value === undefined ? undefined : parseDuration(value, option, { maxMs: LONGEST_TIMER_MS }),
    );
  const whole = (value: number | undefined, fallback: number, option: string, most = 2 ** 31): number =>
    checked(faults, fallback, () => {
      if (value === undefined || (Number.isSafeInteger(value) && value > 0 && value <= most)) return value;
      throw new Error(`${option} takes a whole number from 1 to ${most}`);
    });
  const { worker = true } = options;
  const batch = options.batch ?? {};
  const retry = options.retry ?? {};
  const settings: QueueSettings = {
    flush: options.flush as QueueSettings['flush'],
    batchSize: whole(batch.size, 500, 'batch.size', 5_000),
    batchAgeMs: ms(batch.age, 50, 'batch.age'),
    batchBytes: whole(batch.bytes, 4_194_304, 'batch.bytes'),
    attempts: whole(retry.attempts, 8, 'retry.attempts'),
    backoffMs: ms(retry.backoff, 200, 'retry.backoff'),
    maxBackoffMs: ms(retry.maxBackoff, 30_000, 'retry.maxBackoff'),
    giveUpAfterMs: ms(retry.giveUpAfter, 86_400_000, 'retry.giveUpAfter'),
    flushTimeoutMs: ms(options.flushTimeout, 30_000, 'flushTimeout'),
    leaseMs: ms(options.lease, 15_000, 'lease'),
    pollMs: ms(options.poll, 1_000, 'poll'),
    maxBacklog: whole(options.maxBacklog, 100_000, 'maxBacklog'),
    maxDeadLetters: whole(options.maxDeadLetters, 10_000, 'maxDeadLetters'),
    drainTimeoutMs: ms(options.drainTimeout, 3_000, 'drainTimeout'),
    worker,
  };
  if (faults.length > 0) throw invalid(name, faults);
  return settings;
}

function checked<T>(faults: string[], fallback: T, read: () => T | undefined): T {
  try {
    return read() ?? fallback;
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return fallback;
  }
}

function invalid(name: string, faults: readonly string[]): TierkitError {
  const message = `write-behind queue "${name}": ${faults.join('; ')}`;
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'writeBehind', faults } });
}
