import type { RedisConnection } from '@tierkit/redis';
import { fixed } from '../output/units.ts';
import type { Finding } from './finding.ts';

const check = 'latency';
const ROUNDS = 100;
/** What services wait for a command unless told otherwise. */
const DEFAULT_DEADLINE_MS = 300;

/** How long a PING takes, one after another, on a connection that is open. */
export async function checkLatency(redis: RedisConnection, deadlineMs: number | undefined): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const startedAt = performance.now();
    await redis.execute((client) => client.ping());
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const median = times[ROUNDS / 2] ?? 0;
  const slow = times[Math.floor(ROUNDS * 0.99)] ?? 0;
  const found = `p50 ${fixed(median)} ms, p99 ${fixed(slow)} ms of ${ROUNDS} PINGs`;
  const deadline = deadlineMs ?? DEFAULT_DEADLINE_MS;
  if (slow > deadline / 2) {
    const advice = `services give up after ${deadline} ms (REDIS_SOCKET_TIMEOUT): look for slow commands (SLOWLOG), swapping, a busy machine, and the way to Redis`;
    return { check, status: slow > deadline ? 'fail' : 'warn', found, advice };
  }
  if (median > 5) {
    return {
      check,
      status: 'warn',
      found,
      advice: 'in one data centre it is below 1 ms: is Redis in another zone or region?',
    };
  }
  return { check, status: 'ok', found };
}
