import { TierkitError, type Logger } from '@tierkit/core';
import type { RedisConnection } from '@tierkit/redis';
import {
  fingerprint,
  type Decision,
  type HeldRow,
  type HistoryRequest,
  type LimitChange,
  type QuotaStore,
  type StoreReply,
  type StoreRequest,
} from './quota-store.ts';
import type { Window } from '../periods/windows.ts';
import { warnOfEviction } from './eviction-warning.ts';
import { decisionOf, heldRowsOf } from './decision-text.ts';
import { closedError, corruptError } from '../errors.ts';
import { confirmTold } from './redis-scripts/confirm-told.ts';
import { decide } from './redis-scripts/decide.ts';
import { readWindows } from './redis-scripts/read-windows.ts';
import { storeLimits } from './redis-scripts/store-limits.ts';

/** In one call; the server does nothing else meanwhile. */
const WINDOWS_AT_ONCE = 200;

/**
 * Quotas in Redis. All keys of a subject carry it as their hash tag, so that they are in one slot:
 *
 * - `quota:{subject}:kept`, a hash: stored limits and gauges, for good
 * - `quota:{subject}:per:PERIOD:START`, a hash for each window: what is used of each metric, until 35 days after its end
 * - `quota:{subject}:holds` and `:expiries`: see `redis-scripts/holds.ts`
 * - `quota:{subject}:id:ID`: what was decided under an id
 */
export class RedisStore implements QuotaStore {
  readonly source = 'redis';
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #owned: boolean;
  readonly #stopWatching: () => void;
  #closed = false;

  constructor(redis: RedisConnection, prefix: string, owned: boolean, logger: Logger) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#owned = owned;
    this.#stopWatching = warnOfEviction(redis, logger);
  }

  get moment(): number {
    return this.#redis.moment;
  }

  async decide(request: StoreRequest, since = this.moment): Promise<StoreReply> {
    const keys = this.#keys(request.subject);
    const windows: string[] = [];
    const items: string[] = [];
    for (const { metric, amount, overflow, rows } of request.items) {
      items.push(metric, String(amount), overflow, String(rows.length));
      for (const { period, window, limit, fixed, thresholds } of rows) {
        const place = window === undefined ? 0 : placed(windows, keys.window(period, window));
        items.push(period, String(place), String(window?.startMs ?? 0), String(window?.endMs ?? 0));
        items.push(limit === Infinity ? '-1' : String(limit), fixed ? '0' : '1', thresholds.join(' '));
      }
    }
    if (request.id !== '') windows.push(keys.marker(request.id));
    const { verb, id, call, idTtlMs, holdTtlMs } = request;
    const raw = await this.#asked(() =>
      decide.run(
        this.#redis,
        { kept: keys.kept, holds: keys.holds, expiries: keys.expiries, windows },
        { verb, id, call, idTtlMs, holdTtlMs, fingerprint: fingerprint(request), items },
        since,
      ),
    );
    const nowMs = Number(raw.now);
    if (raw.status === 'period') return { status: 'period', nowMs };
    if (raw.status === 'corrupt') {
      const [metric = '', period = ''] = raw.result.split(' ');
      throw corruptError(`of ${metric} per ${period}`, { metric, period });
    }
    if (raw.status === 'conflict') return { status: 'conflict', nowMs };
    if (raw.result === '' && raw.status !== 'expired') throw corruptError('under the id');
    return {
      ...decisionOf(raw.result, raw.crossings),
      status: raw.status as Decision['status'],
      nowMs,
      holdExpiresMs: Number(raw.holdExpires ?? 0),
    };
  }

  async findHold(subject: string, id: string, since?: number): Promise<readonly HeldRow[] | undefined> {
    const { holds } = this.#keys(subject);
    const text = await this.#asked(() => this.#redis.execute((client) => client.hget(holds, `hold:${id}`), since));
    return text === null ? undefined : heldRowsOf(text);
  }

  async history(
    { subject, period, windows, metrics }: HistoryRequest,
    since = this.moment,
  ): Promise<readonly (readonly number[])[]> {
    const keys = this.#keys(subject);
    const found: number[][] = [];
    for (let first = 0; first < windows.length; first += WINDOWS_AT_ONCE) {
      const some = windows.slice(first, first + WINDOWS_AT_ONCE).map((window) => keys.window(period, window));
      found.push(...(await this.#asked(() => readWindows.run(this.#redis, { windows: some }, { metrics }, since))));
    }
    return found;
  }

  async storeLimits(subject: string, changes: readonly LimitChange[]): Promise<void> {
    const pairs = changes.flatMap(({ metric, period, limit }) => [
      `limit:${metric}:${period}`,
      limit === null ? '' : limit === Infinity ? '-1' : String(limit),
    ]);
    await this.#asked(() => storeLimits.run(this.#redis, { kept: this.#keys(subject).kept }, { changes: pairs }));
  }

  async confirmTold(subject: string, id: string): Promise<void> {
    await this.#asked(() => confirmTold.run(this.#redis, { marker: this.#keys(subject).marker(id) }, {}));
  }

  async ready(timeoutMs: number): Promise<void> {
    await this.#asked(() => this.#redis.ready(timeoutMs));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    if (this.#owned) await this.#redis.close();
  }

  #keys(subject: string): Keys {
    const base = `${this.#prefix}quota:{${subject}}:`;
    return {
      kept: `${base}kept`,
      holds: `${base}holds`,
      expiries: `${base}expiries`,
      window: (period, { startMs }) => `${base}per:${period}:${startMs}`,
      marker: (id) => `${base}id:${id}`,
    };
  }

  /** Says in this package's words that Redis did not do it. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    try {
      return await ask();
    } catch (cause) {
      if (!(cause instanceof TierkitError) || !cause.code.startsWith('ERR_REDIS_')) throw cause;
      // Scripts look at every key before they write.
      if (cause.details['reply'] === 'WRONGTYPE') throw corruptError("under the subject's keys", { cause });
      const applied = cause.details['applied'] ?? 'no';
      if (this.#closed) throw closedError(applied);
      throw new TierkitError('ERR_QUOTA_UNAVAILABLE', `Redis cannot be asked about the quota: ${cause.message}`, {
        cause,
        details: { applied },
      });
    }
  }
}

interface Keys {
  readonly kept: string;
  readonly holds: string;
  readonly expiries: string;
  window(period: string, window: Window): string;
  marker(id: string): string;
}

/** Where a key stands in the list, counted from 1; added if it does not yet. */
function placed(keys: string[], key: string): number {
  const at = keys.indexOf(key);
  return at === -1 ? keys.push(key) : at + 1;
}
