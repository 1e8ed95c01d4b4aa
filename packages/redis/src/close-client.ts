import type { Duplex } from 'node:stream';
import { isCluster, type RedisClient } from './client.ts';

const GRACE_MS = 500;
const END_MS = 100;

/** Ends a client for good: what was sent is answered first, if that takes no longer than half a second. */
export async function closeClient(client: RedisClient, { graceful }: { graceful: boolean }): Promise<void> {
  if (graceful && client.status === 'ready') await settled(client.quit(), GRACE_MS);
  if (hasEnded(client)) return;
  const ended = new Promise((resolve) => client.once('end', resolve));
  const nodes = isCluster(client) ? client.nodes('all') : [client];
  for (const node of nodes) forgetClosedStream(node as unknown as Connected);
  client.disconnect();
  for (const node of nodes) node.stream?.destroy();
  if (nodes.length > 0 && client.status !== 'reconnecting') await settled(ended, END_MS);
}

interface Connected {
  readonly connector: { stream?: Duplex | undefined };
}

// disconnect() arms a timer that only the stream's close event clears, and this stream has closed already.
function forgetClosedStream({ connector }: Connected): void {
  if (connector.stream?.destroyed === true) connector.stream = undefined;
}

// A function of its own, because the type checker takes the status for unchanged across a call.
function hasEnded(client: RedisClient): boolean {
  return client.status === 'end';
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
