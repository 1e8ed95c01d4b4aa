import { createRedis } from '@tierkit/redis';
import type { Redis } from 'ioredis';

export interface OpenClient {
  readonly client: Redis;
  close(): Promise<void>;
}

/** A bare ioredis client that is ready: made by our own connection, so that every subject has the same client options. */
export async function connectClient(port: number): Promise<OpenClient> {
  const connection = createRedis({ host: '127.0.0.1', port });
  await connection.ready();
  const [client] = connection.masters();
  if (client === undefined) throw new Error('a connection that is ready has no client');
  return { client, close: () => connection.close() };
}
