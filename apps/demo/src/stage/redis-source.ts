import { connect } from 'node:net';
import { UsageError } from '../command-line.ts';
import { hasRedisServer, PrivateRedis } from '../private-redis.ts';

/** Where the instances find their Redis. Only the demo's own can be stopped. */
export type RedisSource =
  | { readonly kind: 'private'; readonly url: string; readonly server: PrivateRedis }
  | { readonly kind: 'given'; readonly url: string; readonly place: string }
  | { readonly kind: 'memory'; readonly url: 'memory' };

/** REDIS_URL's if it is set, else one started for the demo, else none: memory. */
export async function findRedis(env: NodeJS.ProcessEnv): Promise<RedisSource> {
  const given = env['REDIS_URL'] ?? '';
  if (given !== '') return { kind: 'given', url: given, place: await reachable(given) };
  if (!hasRedisServer()) return { kind: 'memory', url: 'memory' };
  const server = await PrivateRedis.start();
  return { kind: 'private', url: server.url, server };
}

/** The address without the password that the URL may hold. */
async function reachable(url: string): Promise<string> {
  const { protocol, hostname, port } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '', port: '' };
  if (!/^rediss?:$/.test(protocol) || hostname === '')
    throw new UsageError('REDIS_URL is no redis:// or rediss:// URL');
  const place = `${hostname}:${port === '' ? 6379 : port}`;
  if (await accepts(hostname.replaceAll(/[[\]]/g, ''), port === '' ? 6379 : Number(port))) return place;
  throw new UsageError(`REDIS_URL: nothing answers at ${place}`);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(3_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
