import { Redis } from 'ioredis';

/** Removes the keys that begin with a prefix, as far as Redis lets it; what is left expires. */
export async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 }) as AsyncIterable<string[]>)
      if (keys.length > 0) await redis.unlink(...keys);
  } catch {
    // The demo has shown what it had to show.
  } finally {
    redis.disconnect();
  }
}
