import { createBus, durable, type DeadLetters } from '@tierkit/bus';
import type { WriteBehindQueue } from '@tierkit/cache';
import type { RedisConnection } from '@tierkit/redis';
import { Progress } from '../output/progress.ts';
import type { Session } from '../run/session.ts';
import { findNames } from './find-names.ts';
import { queueOf, streamOf } from './layout.ts';

/** Something with dead letters. */
export interface FoundQueue {
  readonly kind: 'stream' | 'write-behind';
  readonly name: string;
  list(options: { readonly after?: string; readonly limit: number }): Promise<FoundLetter[]>;
  replay(ids: readonly string[] | undefined): Promise<number>;
  remove(ids: readonly string[] | undefined): Promise<number>;
  count(): Promise<number>;
  /** Handed out and not finished, or waiting to be written. */
  pending(): Promise<number>;
}

interface FoundLetter {
  readonly id: string;
  readonly group?: string;
  readonly attempts: number;
  readonly reason: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly timeMs: number;
}

const MOST = 200;
/** Replayed letters must not push out what the service keeps: its own next event trims as it says. */
const KEEP_ALL = { maxLength: 2 ** 40 };

/** Durable channels and write-behind queues, by what they have in Redis. */
export async function findQueues(session: Session): Promise<FoundQueue[]> {
  const redis = await session.durable();
  const { prefix, signal } = session;
  const progress = new Progress(session.output, 'looking at keys:');
  const search = { redis, most: MOST, signal, progress };
  const streamKey = (key: string): string | undefined => {
    const found = streamOf(prefix, key);
    return found && `${found.own}\n${found.channel}`;
  };
  const streams = await findNames({ ...search, match: `${prefix}*bus:{*}*`, nameOf: streamKey });
  const behind = await findNames({
    ...{ ...search, match: `${prefix}{tierkit}behind:*` },
    nameOf: (key) => queueOf(prefix, key),
  });
  const queues = [...streams.names.keys()].flatMap((name) => streamQueue(session, redis, name));
  if (behind.names.size === 0) return queues;
  const tiers = await session.tiers();
  for (const name of behind.names.keys()) {
    // Without a worker nothing is flushed here, and so the sink is never called.
    queues.push(behindQueue(tiers.writeBehind(name, { flush: () => undefined, worker: false })));
  }
  return queues;
}

function streamQueue(session: Session, redis: RedisConnection, name: string): FoundQueue[] {
  const [own = '', channel = ''] = name.split('\n');
  const bus = busOver(session, redis, own, channel);
  if (bus === undefined) return [];
  const letters = bus.deadLetters(channel) as DeadLetters;
  return [
    {
      kind: 'stream',
      name: own + channel,
      async list(options) {
        const found = await letters.list(options);
        return found.map(({ id, group, attempts, reason, time }) => ({ id, group, attempts, reason, timeMs: time }));
      },
      replay: (ids) => letters.replay(ids),
      remove: (ids) => letters.remove(ids),
      count: () => redis.execute((client) => client.xlen(`${session.prefix}${own}bus:{${encoded(channel)}}dead`)),
      pending: () => pendingOf(redis, `${session.prefix}${own}bus:{${encoded(channel)}}`),
    },
  ];
}

/** Undefined for a key that only looks like a channel's. */
function busOver(session: Session, redis: RedisConnection, own: string, channel: string) {
  try {
    const bus = createBus({ [channel]: durable(KEEP_ALL) }, { redis, prefix: session.prefix + own });
    return session.opened(bus);
  } catch {
    return undefined;
  }
}

/** Of all groups; none before the first event. */
async function pendingOf(redis: RedisConnection, stream: string): Promise<number> {
  const groups = await redis.execute((client) => client.xinfo('GROUPS', stream)).catch(() => []);
  if (!Array.isArray(groups)) return 0;
  return groups.reduce((sum: number, fields: unknown[]) => sum + Number(fields[fields.indexOf('pending') + 1] ?? 0), 0);
}

const encoded = (channel: string): string => channel.replaceAll('{', '%7B').replaceAll('}', '%7D');

function behindQueue(queue: WriteBehindQueue): FoundQueue {
  return {
    kind: 'write-behind',
    name: queue.name,
    async list(options) {
      const found = await queue.deadLetters(options);
      return found.map(({ id, reason, failures }) => {
        return { id, attempts: failures, reason, timeMs: Number(id.split('-')[0]) };
      });
    },
    async replay(ids) {
      const { replayed, superseded } = await queue.replay(ids === undefined ? {} : { ids });
      return replayed + superseded;
    },
    remove: (ids) => (ids === undefined ? queue.discardAll() : queue.discard(ids)),
    count: async () => (await queue.status()).deadLetters,
    pending: async () => (await queue.status()).backlog,
  };
}
