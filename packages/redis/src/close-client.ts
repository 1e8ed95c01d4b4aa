import type { Redis } from 'ioredis';
import { forgetClosedStream, isCluster, type RedisClient } from './client.ts';

const GRACE_MS = 500;
const END_MS = 100;

/** Ends a client for good: what was sent is answered first, if that takes no longer than half a second. */
export async function closeClient(client: RedisClient, { graceful }: { graceful: boolean }): Promise<void> {
  if (graceful && client.status === 'ready') await settled(client.quit(), GRACE_MS);
  if (isCluster(client) && hasEnded(client)) return;
  const ending = !hasEnded(client) && client.status !== 'reconnecting';
  const ended = new Promise((resolve) => client.once('end', resolve));
  const nodes = isCluster(client) ? client.nodes('all') : [client];
  for (const node of nodes) forgetClosedStream(node);
  // Also a client that has ended, as one that follows Sentinels would soon connect again.
  client.disconnect();
  for (const node of nodes) {
    node.stream?.destroy();
    rejectQueued(node);
  }
  if (nodes.length > 0 && ending) await settled(ended, END_MS);
}

// disconnect() between two connection attempts leaves what is queued, and its timers, to themselves.
function rejectQueued(client: Redis): void {
  if (client.status !== 'reconnecting') return;
  (client as unknown as { flushQueue(error: Error): void }).flushQueue(new Error('Connection is closed.'));
}

// A function of its own, because the type checker takes the status for unchanged across a call.
function hasEnded(client: RedisClient): boolean {
  return client.status === 'end';
}

/** Ends clients at once, whatever they are doing. */
export async function destroyClients(clients: Iterable<RedisClient>): Promise<void> {
  await Promise.all(Array.from(clients, (client) => closeClient(client, { graceful: false })));
}

/** Waits for the promise, whatever its outcome, but no longer than `ms`. */
async function settled(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}
