import { parseDuration, TierkitError, type Duration } from '@tierkit/core';
import { createRedis, type RedisConnection, type RedisInput } from '@tierkit/redis';
import type { Session } from '../run/session.ts';
import { checkClock } from './clock-skew.ts';
import { checkConnectivity } from './connectivity.ts';
import { checkEviction } from './eviction.ts';
import { parseInfo, type Finding, type InfoFields, type Purpose } from './finding.ts';
import { checkLatency } from './latency.ts';
import { checkPersistence } from './persistence.ts';
import { checkRights } from './rights.ts';
import { checkVersion } from './version.ts';

/** One Redis of the service, and how it is. */
export interface Examined {
  readonly purpose: Purpose;
  /** Without user and password. */
  readonly address: string;
  readonly findings: readonly Finding[];
}

/** Asks one Redis everything; it settles within a few times the timeout, and rejects only when it is interrupted. */
export async function examine(
  session: Session,
  where: RedisInput,
  { purpose, address, deadline }: { purpose: Purpose; address: string; deadline: Duration | undefined },
): Promise<Examined> {
  const redis = session.opened(createRedis(where));
  const connectivity = await session.untilAborted(checkConnectivity(redis, where, session.timeoutMs));
  if (connectivity.status === 'fail') return { purpose, address, findings: [connectivity] };
  const info = await infoOf(redis);
  const cluster = redis.topology === 'cluster';
  const saves = await savesOf(redis);
  const informed = (check: string, look: (fields: InfoFields) => Finding): Finding =>
    info === undefined
      ? { check, status: 'skipped', found: 'INFO is refused', advice: 'allow INFO: +info' }
      : look(info);
  const deadlineMs = deadline === undefined ? undefined : parseDuration(deadline, 'REDIS_SOCKET_TIMEOUT');
  const findings = [
    connectivity,
    informed('version', (fields) => checkVersion(fields, cluster)),
    informed('eviction', (fields) => checkEviction(fields, purpose)),
    informed('persistence', (fields) => checkPersistence(fields, saves, purpose, Date.now())),
    await asked(session, 'latency', () => checkLatency(redis, deadlineMs)),
    await asked(session, 'clock', () => checkClock(redis)),
    await asked(session, 'rights', () => checkRights(redis, session.prefix, userOf(where))),
  ];
  return { purpose, address, findings };
}

async function asked(session: Session, check: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await session.untilAborted(look());
  } catch (error) {
    session.signal.throwIfAborted();
    return { check, status: 'skipped', found: error instanceof TierkitError ? error.message : 'Redis did not answer' };
  }
}

/** Undefined where the user may not. */
async function infoOf(redis: RedisConnection): Promise<InfoFields | undefined> {
  try {
    const [master] = redis.masters();
    return parseInfo(await redis.execute(async (client) => (master ?? client).info()));
  } catch {
    return undefined;
  }
}

/** The rules for snapshots; undefined where the user may not ask, as with most that is hosted. */
async function savesOf(redis: RedisConnection): Promise<string | undefined> {
  try {
    const reply = await redis.execute((client) => client.call('CONFIG', 'GET', 'save'));
    return Array.isArray(reply) ? String(reply[1] ?? '') : undefined;
  } catch {
    return undefined;
  }
}

function userOf(where: RedisInput): string | undefined {
  const text = typeof where === 'string' ? where : 'url' in where ? where.url : undefined;
  const user = text !== undefined && URL.canParse(text) ? decodeURIComponent(new URL(text).username) : '';
  return user === '' ? undefined : user;
}
