import type { RedisConnection } from '@tierkit/redis';
import { randomInt } from 'node:crypto';
import { invalidateTags } from '../stores/redis-scripts/invalidate-tags.ts';
import { stampTags } from '../stores/redis-scripts/stamp-tags.ts';
import type { TagStamp } from './stamped-tags.ts';
import type { TagReading, TagSource } from './tag-source.ts';

/** Longer than any load: one that began before a table was made finds that table. */
const LEAST_TTL_MS = 3_600_000;
/** Tags of one table at the most, about 100 bytes each. */
const MAX_TAGS = 100_000;
const MAX_ID = 2 ** 48 - 1;

export interface RedisTagSourceOptions {
  readonly redis: RedisConnection;
  readonly channel: string;
  /** What goes before an announcement of invalidated tags. */
  readonly announcement: (tagsKey: string) => string;
  /** @default 100,000 */
  readonly maxTags?: number;
}

/** The tag tables in Redis, one sorted set each. */
export class RedisTagSource implements TagSource {
  readonly #options: RedisTagSourceOptions;

  constructor(options: RedisTagSourceOptions) {
    this.#options = options;
  }

  stamp(tagsKey: string, ttlMs: number): Promise<TagStamp> {
    const args = { freshTable: freshTable(), ttlMs: Math.max(ttlMs, LEAST_TTL_MS) };
    return stampTags.run(this.#options.redis, { tags: tagsKey }, args);
  }

  async read(tagsKey: string, names: readonly string[], since?: number): Promise<TagReading> {
    const scores = await this.#options.redis.execute(
      (client) => client.zmscore(tagsKey, ' epoch', ' at', ' floor', ...names),
      since,
      'ZMSCORE',
    );
    const [table = 0, at = 0, floor = 0, ...versions] = scores.map((score) =>
      score == null ? undefined : Number(score),
    );
    return { table, at, versions: versions.map((version) => version ?? floor) };
  }

  invalidate(tagsKey: string, names: readonly string[]): Promise<TagStamp> {
    const { redis, channel, announcement, maxTags = MAX_TAGS } = this.#options;
    const message = announcement(tagsKey);
    const args = { freshTable: freshTable(), ttlMs: LEAST_TTL_MS, maxTags, channel, message, names };
    return invalidateTags.run(redis, { tags: tagsKey }, args);
  }
}

function freshTable(): number {
  return -randomInt(1, MAX_ID);
}
