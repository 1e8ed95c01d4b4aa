import { connect } from 'node:net';
import type { RedisConnection, RedisInput } from '@tierkit/redis';
import { isNoPermission } from '../errors.ts';
import { addressOf } from '../run/session.ts';
import type { Finding } from './finding.ts';

const check = 'connectivity';

/** Whether Redis answers in time; if not, whether nobody listens, nobody answers, or the credentials are wrong. */
export async function checkConnectivity(
  redis: RedisConnection,
  where: RedisInput,
  timeoutMs: number,
): Promise<Finding> {
  const startedAt = performance.now();
  try {
    await redis.ready(timeoutMs);
    await redis.execute((client) => client.ping());
    const masters = redis.masters().length;
    const found = `${redis.topology}, ${masters} ${masters === 1 ? 'master' : 'masters'}, answered after ${Math.round(performance.now() - startedAt)} ms`;
    return { check, status: 'ok', found };
  } catch (error) {
    if (isNoPermission(error)) {
      const advice = 'check REDIS_PASSWORD or the user and password in REDIS_URL; the user needs the right to PING';
      return { check, status: 'fail', found: 'Redis refuses the credentials', advice, refused: true };
    }
    return unanswered(await probe(where, timeoutMs), timeoutMs);
  }
}

function unanswered(port: Probe, timeoutMs: number): Finding {
  if (port === 'open') {
    const found = `the port accepts connections, and Redis does not answer within ${timeoutMs} ms`;
    const advice =
      'it may be frozen, swapping, loading its data, blocked by a slow command (see SLOWLOG), or expect TLS (rediss://)';
    return { check, status: 'fail', found, advice };
  }
  if (port === 'closed') {
    const advice =
      'start Redis, or correct the host and port in REDIS_URL; in a container, localhost is the container itself';
    return { check, status: 'fail', found: 'nobody listens there', advice };
  }
  const advice = 'check the name of the host, the network and its firewall, and whether Redis is bound to that address';
  return { check, status: 'fail', found: `no connection within ${timeoutMs} ms`, advice };
}

type Probe = 'open' | 'closed' | 'unknown';

/** Whether anybody listens at the address, with nothing said. */
async function probe(where: RedisInput, timeoutMs: number): Promise<Probe> {
  const [first = ''] = addressOf(where).split(', ');
  if (!URL.canParse(`redis://${first}`)) return 'unknown';
  const { hostname, port } = new URL(`redis://${first}`);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port === '' ? 6379 : port) });
    const end = (result: Probe): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => end('unknown'));
    socket.once('connect', () => end('open'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? 'closed' : 'unknown'));
  });
}
