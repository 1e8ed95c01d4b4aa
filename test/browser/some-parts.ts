import type { AdminParts, QueuePart } from '@tierkit/admin';
import { createTiers, type Tiers, type WriteBehindItem } from '@tierkit/cache';
import type { Telemetry } from '@tierkit/core';
import { createLocks, type Locks } from '@tierkit/lock';
import { createQuota } from '@tierkit/quota';
import { createLimiter, fixedWindow } from '@tierkit/rate-limit';

export interface SomeParts {
  readonly parts: AdminParts;
  readonly locks: Locks;
  /** Three calls an hour. */
  consume(subject: string): Promise<{ readonly allowed: boolean }>;
  /** Of ten calls a day. */
  charge(subject: string, calls: number): Promise<unknown>;
  /** Holds some of them. */
  hold(subject: string, calls: number): Promise<unknown>;
  /** Writes behind the cache into a sink. */
  write(key: string): Promise<unknown>;
  readonly sink: {
    /** What it takes at present. */
    takes: (key: string) => boolean;
    readonly taken: Set<string>;
  };
  close(): Promise<void>;
}

/** What a service may have besides a cache, each of it real. */
export async function someParts(url: string, prefix: string, telemetry: Telemetry): Promise<SomeParts> {
  const redis = { url, commandTimeout: '10s' } as const;
  const locks = createLocks({ redis, prefix, instance: 'writer' });
  const limiter = createLimiter('api', [fixedWindow({ limit: 3, per: '1h' })], { redis, prefix, telemetry });
  const quota = createQuota({ calls: { per: 'day', limit: 10 } }, { redis, prefix });
  const tiers = createTiers({ redis, prefix });
  await Promise.all([locks.ready('20s'), limiter.ready('20s'), quota.ready('20s'), tiers.ready('20s')]);
  const sink: SomeParts['sink'] = { takes: () => true, taken: new Set() };
  const queue = tiers.writeBehind('trees', {
    flush: async (batch) => flush(batch, sink),
    retry: { attempts: 1, backoff: '20ms' },
  });
  return {
    parts: {
      locks,
      limiters: () => [limiter],
      quotas: () => [
        { name: 'plan', usage: (subject) => quota.usage(subject), reset: (subject) => quota.reset(subject) },
      ],
      queues: () => [partOf(queue)],
    },
    locks,
    consume: (subject) => limiter.consume(subject),
    charge: (subject, calls) => quota.add(subject, { calls }),
    hold: (subject, calls) => quota.reserve(subject, { calls }),
    write: (key) => tiers.project('p').writeBehind(key, { tree: key }, queue),
    sink,
    close: async () => {
      await Promise.all([locks.close(), limiter.close(), quota.close(), tiers.close()]);
    },
  };
}

async function flush(batch: readonly WriteBehindItem[], { takes, taken }: SomeParts['sink']): Promise<void> {
  for (const { key } of batch) if (!takes(String(key))) throw new Error(`no room for ${String(key)}`);
  for (const { key } of batch) taken.add(String(key));
}

function partOf(queue: ReturnType<Tiers['writeBehind']>): QueuePart {
  return {
    name: queue.name,
    kind: 'write-behind',
    async state() {
      const { backlog, oldestAgeMs, deadLetters } = await queue.status();
      return { waiting: backlog, pending: 0, deadLetters, oldestMs: oldestAgeMs };
    },
    deadLetters: {
      async list({ after, limit }) {
        const letters = await queue.deadLetters(after === undefined ? { limit } : { after, limit });
        return letters.map(({ id, item, reason, failures }) => ({
          id,
          reason,
          attempts: failures,
          payload: item?.value,
        }));
      },
      replay: async (ids) => (await queue.replay(ids === undefined ? {} : { ids })).replayed,
      async remove(ids) {
        const chosen = ids ?? (await queue.deadLetters()).map(({ id }) => id);
        await queue.discard(chosen);
        return chosen.length;
      },
    },
  };
}
