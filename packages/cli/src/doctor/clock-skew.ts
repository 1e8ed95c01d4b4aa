import type { RedisConnection } from '@tierkit/redis';
import { time } from '../output/units.ts';
import type { Finding } from './finding.ts';

const check = 'clock';
const ROUNDS = 8;
const WARN_MS = 1_000;
const FAIL_MS = 60_000;

/** How far the server's clock is from this machine's, by the quickest of several answers, whose error is half its round trip. */
export async function checkClock(redis: RedisConnection, now: () => number = Date.now): Promise<Finding> {
  let best = { offsetMs: 0, errorMs: Infinity };
  for (let i = 0; i < ROUNDS; i++) {
    const sentAt = performance.now();
    const [seconds, micros] = await redis.execute((client) => client.time());
    const errorMs = (performance.now() - sentAt) / 2;
    if (errorMs < best.errorMs) {
      best = { offsetMs: Number(seconds) * 1_000 + Number(micros) / 1_000 - (now() - errorMs), errorMs };
    }
  }
  const apart = Math.abs(best.offsetMs);
  const found = `Redis is ${time(apart)} ${best.offsetMs < 0 ? 'behind' : 'ahead of'} this machine, give or take ${Math.ceil(best.errorMs)} ms`;
  if (apart - best.errorMs <= WARN_MS) return { check, status: 'ok', found };
  const advice =
    "times to live, limits and locks go by Redis's clock and stay right; the days and months of quotas begin by it too, and logs are apart: let NTP set both clocks";
  return { check, status: apart > FAIL_MS ? 'fail' : 'warn', found, advice };
}
