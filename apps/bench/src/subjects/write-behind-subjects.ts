import { createTiers } from '@tierkit/cache';
import { randomUUID } from 'node:crypto';
import { Queue, Worker, type JobsOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { Packr } from 'msgpackr';
import type { OpenWriteBehindSubject, WriteBehindSubject } from '../write-behind-subject.ts';
import { connectClient } from './client.ts';

const HOUR_MS = 3_600_000;
const codec = () => new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false, copyBuffers: true });

/** What acknowledges a write and remembers nothing: nobody could flush it. */
export const limitSet: WriteBehindSubject = {
  name: 'limit: ioredis SET PX + pack',
  role: 'limit',
  async open(port) {
    const redis = await connectClient(port);
    const { client } = redis;
    const packr = codec();
    return {
      write: (key, value) => client.set(`bare:${key}`, packr.pack(value), 'PX', HOUR_MS),
      async read(key) {
        const bytes = await client.getBuffer(`bare:${key}`);
        return bytes === null ? undefined : packr.unpack(bytes);
      },
      flush: async () => 0,
      close: () => redis.close(),
    };
  },
};

/** A stream has every write, so that this flushes more than one that keeps the last of each key. */
export const limitStream: WriteBehindSubject = {
  name: 'limit: XADD, XREADGROUP 500 + XACK',
  role: 'limit',
  async open(port) {
    const redis = await connectClient(port);
    const { client } = redis;
    const packr = codec();
    await client.xgroup('CREATE', 'bare-stream', 'sink', '$', 'MKSTREAM').catch(() => {});
    const written = new Map<string, unknown>();
    return {
      async write(key, value) {
        written.set(key, value);
        return client.xadd('bare-stream', '*', 'key', key, 'value', packr.pack(value));
      },
      read: async (key) => written.get(key),
      async flush() {
        let flushed = 0;
        for (;;) {
          const reply = await client.xreadgroupBuffer(
            'GROUP',
            'sink',
            'one',
            'COUNT',
            500,
            'STREAMS',
            'bare-stream',
            '>',
          );
          const [entries] = (reply ?? []).map((stream) => (stream as [Buffer, [Buffer, Buffer[]][]])[1]);
          if (entries === undefined) return flushed;
          for (const [, fields] of entries) packr.unpack(fields[3] ?? Buffer.alloc(0));
          await client.xack('bare-stream', 'sink', ...entries.map(([id]) => id));
          flushed += entries.length;
        }
      },
      close: () => redis.close(),
    };
  },
};

/** In a process that leaves the flushing to others, as the peer's does. */
export const tierkitWrites: WriteBehindSubject = tierkit('tierkit writeBehind', false);
export const tierkitFlush: WriteBehindSubject = tierkit('tierkit writeBehind', true);

function tierkit(name: string, worker: boolean): WriteBehindSubject {
  return { name, role: 'ours', open: (port) => openTierkit(port, worker) };
}

async function openTierkit(port: number, worker: boolean): Promise<OpenWriteBehindSubject> {
  const redis = { host: '127.0.0.1', port, commandTimeout: '5s' };
  const tiers = createTiers({ redis, prefix: 'behind:', l1: false });
  await tiers.ready();
  let flushed = 0;
  // It flushes when it is told to.
  const queue = tiers.writeBehind('bench', {
    flush: (batch) => void (flushed += batch.length),
    ...{ batch: { age: '1h', size: 1_000 }, poll: '1h', maxBacklog: 1_000_000, worker },
  });
  const scope = tiers.project('bench');
  return {
    write: (key, value) => scope.writeBehind(key, value, queue),
    read: (key) => scope.get(key),
    async flush() {
      const before = flushed;
      if (!worker) return 0;
      if (!(await queue.drain('1m'))) throw new Error('writes are left');
      return flushed - before;
    },
    close: () => tiers.close(),
  };
}

/** The cached value, and a job of a queue that many use for work to be done later: one for each write. */
export const bullmq: WriteBehindSubject = bull('ioredis SET PX + BullMQ add', () => undefined);

/** The same with the latest write of each key alone, as a job that waits and is replaced: what a sink of ours is given. */
export const bullmqLatest: WriteBehindSubject = bull('ioredis SET PX + BullMQ add, latest of a key', (key) => ({
  delay: HOUR_MS,
  deduplication: { id: key, ttl: HOUR_MS, extend: true, replace: true },
}));

function bull(name: string, optionsOf: (key: string) => JobsOptions | undefined): WriteBehindSubject {
  return { name, role: 'peer', open: (port) => openBull(port, optionsOf) };
}

async function openBull(
  port: number,
  optionsOf: (key: string) => JobsOptions | undefined,
): Promise<OpenWriteBehindSubject> {
  const redis = await connectClient(port);
  const { client } = redis;
  const packr = codec();
  const connection = { host: '127.0.0.1', port };
  const queue = new Queue(`bench-${randomUUID()}`, { connection, defaultJobOptions: { removeOnComplete: true } });
  await queue.waitUntilReady();
  return {
    async write(key, value) {
      const cached = client.set(`bull-cached:${key}`, packr.pack(value), 'PX', HOUR_MS);
      const [job] = await Promise.all([queue.add('write', { key, value }, optionsOf(key)), cached]);
      return job.id;
    },
    async read(key) {
      const bytes = await client.getBuffer(`bull-cached:${key}`);
      return bytes === null ? undefined : packr.unpack(bytes);
    },
    async flush() {
      let flushed = 0;
      await queue.promoteJobs();
      const blocking = new Redis({ port, maxRetriesPerRequest: null });
      const worker = new Worker(queue.name, async () => void flushed++, { connection: blocking, concurrency: 100 });
      await new Promise<void>((resolve) => worker.once('drained', resolve));
      await worker.close();
      blocking.disconnect();
      return flushed;
    },
    async close() {
      await queue.close();
      await redis.close();
    },
  };
}
