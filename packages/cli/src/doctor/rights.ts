import { randomBytes } from 'node:crypto';
import { TierkitError } from '@tierkit/core';
import type { RedisClient, RedisConnection } from '@tierkit/redis';
import { isNoPermission } from '../errors.ts';
import type { Finding } from './finding.ts';

const check = 'rights';

/** What a key of the probes lives, should the end of them not be reached. */
const TTL_S = 10;

interface Probe {
  readonly what: string;
  readonly rule: string;
  readonly needed: 'cache' | 'some' | 'operators';
  run(client: RedisClient, key: string): Promise<unknown>;
}

/** Each command that tierkit's parts send, or one of its family, on a key of the service's prefix that nobody uses. */
const PROBES: readonly Probe[] = [
  { what: 'reading', rule: '+@read', needed: 'cache', run: (client, key) => client.mget(key) },
  { what: 'writing', rule: '+@write', needed: 'cache', run: (client, key) => client.set(key, '1', 'EX', TTL_S) },
  {
    what: 'scripts',
    rule: '+@scripting',
    needed: 'cache',
    run: (client, key) => client.eval("return redis.call('PTTL', KEYS[1])", 1, key),
  },
  { what: 'the clock', rule: '+time', needed: 'cache', run: async (client) => client.time() },
  { what: 'publishing', rule: '+publish &<prefix>*', needed: 'cache', run: (client, key) => client.publish(key, '') },
  {
    what: 'scanning',
    rule: '+scan',
    needed: 'cache',
    run: (client, key) => client.eval("return redis.call('SCAN', '0', 'MATCH', KEYS[1], 'COUNT', '1')", 1, key),
  },
  {
    what: 'hashes',
    rule: '+@hash',
    needed: 'some',
    run: (client, key) => client.hset(`${key}:hash`, 'a', '1').then(() => client.expire(`${key}:hash`, TTL_S)),
  },
  {
    what: 'sorted sets',
    rule: '+@sortedset',
    needed: 'some',
    run: (client, key) => client.zadd(`${key}:zset`, 1, 'a').then(() => client.expire(`${key}:zset`, TTL_S)),
  },
  {
    what: 'streams',
    rule: '+@stream',
    needed: 'some',
    run: (client, key) => client.xadd(`${key}:stream`, '*', 'a', '1').then(() => client.expire(`${key}:stream`, TTL_S)),
  },
  {
    what: 'deleting',
    rule: '+unlink',
    needed: 'cache',
    run: (client, key) => client.unlink(key, `${key}:hash`, `${key}:zset`, `${key}:stream`),
  },
  { what: 'INFO', rule: '+info', needed: 'operators', run: async (client) => client.info('server') },
];

/**
 * Whether the user may do what tierkit does. The keys of the probes are gone at their end, and ten seconds later at the
 * latest.
 *
 * @param login the user's name, for one who may not ask for it
 */
export async function checkRights(redis: RedisConnection, prefix: string, login: string | undefined): Promise<Finding> {
  const key = `${prefix}{tierkit}doctor:${randomBytes(9).toString('base64url')}`;
  const refused: Probe[] = [];
  for (const probe of PROBES) {
    try {
      await redis.execute((client) => probe.run(client, key));
    } catch (error) {
      if (!isNoPermission(error) && !(error instanceof TierkitError && error.code === 'ERR_REDIS_REPLY')) throw error;
      refused.push(probe);
    }
  }
  if (!(await maySubscribe(redis, key))) {
    const rule = '+subscribe +psubscribe &<prefix>*';
    refused.push({ what: 'subscribing', rule, needed: 'cache', run: async () => undefined });
  }
  const user = (await whoami(redis)) ?? login;
  const named = user === undefined ? '' : `user ${user}: `;
  if (refused.length === 0) return { check, status: 'ok', found: `${named}all that tierkit does` };
  const found = `${named}may not do ${refused.map(({ what }) => what).join(', ')}`;
  const rules = [...new Set(refused.flatMap(({ rule }) => rule.split(' ')))].join(' ').replaceAll('<prefix>', prefix);
  const advice = `ACL SETUSER ${user ?? '<user>'} ~${prefix}* ${rules}`;
  const fatal = refused.some(({ needed }) => needed === 'cache');
  return { check, status: fatal ? 'fail' : 'warn', found, advice };
}

async function maySubscribe(redis: RedisConnection, channel: string): Promise<boolean> {
  const connection = redis.duplicate('subscriber');
  try {
    if (connection.status !== 'ready') {
      await new Promise<void>((resolve, reject) => {
        connection.once('ready', resolve);
        connection.once('error', reject);
        connection.once('end', () => reject(new Error('ended')));
      });
    }
    await connection.subscribe(channel);
    return true;
  } catch (error) {
    return !isNoPermission(error);
  } finally {
    connection.disconnect();
  }
}

async function whoami(redis: RedisConnection): Promise<string | undefined> {
  try {
    return String(await redis.execute((client) => client.call('ACL', 'WHOAMI')));
  } catch {
    return undefined;
  }
}
