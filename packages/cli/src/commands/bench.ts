import { randomBytes } from 'node:crypto';
import { scan } from '@tierkit/redis';
import { Progress } from '../output/progress.ts';
import { table } from '../output/table.ts';
import { fixed } from '../output/units.ts';
import type { Registrar } from '../run/registrar.ts';
import type { Session } from '../run/session.ts';
import { wholeNumber } from '../run/whole-number.ts';

interface BenchOptions {
  readonly requests: string;
  readonly concurrency: string;
  readonly bytes: string;
}

interface Measured {
  readonly what: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Keys that reads are spread over. */
const KEYS = 100;
const key = (i: number): string => `key:${i % KEYS}`;

export function benchCommand({ command, action }: Registrar): void {
  command(
    'bench',
    'how quick this Redis is from here, by the calls that services make; keys of its own, removed at the end',
  )
    .option('--requests <count>', 'of each kind', '5000')
    .option('--concurrency <count>', 'how many at a time', '16')
    .option('--bytes <count>', 'the size of a value', '1000')
    .action(
      action(async (session: Session, options: BenchOptions) => {
        const requests = wholeNumber(options.requests, '--requests', 10_000_000);
        const concurrency = wholeNumber(options.concurrency, '--concurrency', 1_000);
        const size = wholeNumber(options.bytes, '--bytes', 1_000_000);
        const results = await measure(session, { requests, concurrency, size });
        const rows = results.map(({ what, perSecond, p50Ms, p95Ms, p99Ms }) => [
          what,
          Math.round(perSecond),
          fixed(p50Ms),
          fixed(p95Ms),
          fixed(p99Ms),
        ]);
        session.output.report({
          data: { requests, concurrency, bytes: size, results },
          text: table(['CALL', 'A SECOND', 'P50 MS', 'P95 MS', 'P99 MS'], rows),
        });
        return undefined;
      }),
    );
}

interface Load {
  readonly requests: number;
  readonly concurrency: number;
  readonly size: number;
}

async function measure(session: Session, load: Load): Promise<Measured[]> {
  const prefix = `${session.prefix}tierkit-bench:${randomBytes(6).toString('hex')}:`;
  const redis = await session.redis();
  const shared = await session.tiers({ prefix });
  const remote = await session.tiers({ prefix, l1: false });
  const value = {
    text: randomBytes(Math.ceil(load.size / 2))
      .toString('hex')
      .slice(0, load.size),
  };
  try {
    const results: Measured[] = [];
    const run = async (what: string, call: (i: number) => Promise<unknown>): Promise<void> =>
      void results.push(await timed(session, what, load, call));
    await run('set', (i) => remote.global.set(key(i), value, { ttl: '5m' }));
    await run('get from Redis', (i) => remote.global.get(key(i)));
    for (let i = 0; i < KEYS; i++) await shared.global.get(key(i));
    await run('get in process', (i) => shared.global.get(key(i)));
    await run('PING', () => redis.execute((client) => client.ping()));
    return results;
  } finally {
    // Also after Ctrl-C; what cannot be removed ends by itself after five minutes.
    for await (const keys of scan(redis, { match: `${prefix}*` })) {
      await Promise.all(keys.map((one) => redis.execute((client) => client.unlink(one))));
    }
  }
}

async function timed(
  session: Session,
  what: string,
  { requests, concurrency }: Load,
  call: (i: number) => Promise<unknown>,
): Promise<Measured> {
  const progress = new Progress(session.output, what.padEnd(14));
  const times = new Float64Array(requests);
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < requests) {
      session.signal.throwIfAborted();
      const i = next++;
      const startedAt = performance.now();
      await call(i);
      times[i] = performance.now() - startedAt;
      if (++done % 100 === 0) progress.show(done, requests);
    }
  };
  const startedAt = performance.now();
  // All of them have ended before keys are removed, also when one fails.
  const ended = await Promise.allSettled(Array.from({ length: Math.min(concurrency, requests) }, worker));
  const tookMs = performance.now() - startedAt;
  progress.end();
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  times.sort();
  const at = (part: number): number => times[Math.min(requests - 1, Math.floor(requests * part))] ?? 0;
  return { what, requests, perSecond: requests / (tookMs / 1_000), p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
