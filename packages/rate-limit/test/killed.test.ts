import { expect, it } from 'vitest';
import { startRedis, until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createLimiter, slidingWindow, type LimitSource, type OnUnavailable } from '../src/index.ts';

const LIMIT = 40;
const TIMEOUT_MS = 300;
const CALLERS = 5;

interface Answer {
  readonly source: LimitSource;
  readonly allowed: boolean;
  readonly tookMs: number;
  /** How often the server had been started when it was asked. */
  readonly life: number;
}

it('callers of a server that is killed and started again are answered in time, as onUnavailable says, and then by Redis', async () => {
  const server = await startRedis();
  let life = 1;
  const over = new AbortController();
  const runs = (['open', 'closed', 'memory'] as const).map((onUnavailable: OnUnavailable) => {
    const limiter = createLimiter('killed', [slidingWindow({ limit: LIMIT, per: '1h' })], {
      redis: server.url,
      prefix: `${onUnavailable}:`,
      onUnavailable,
      timeout: TIMEOUT_MS,
      shield: false,
    });
    const answers: Answer[] = [];
    const caller = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const asked = life;
        const fromMs = performance.now();
        const { source, allowed } = await limiter.consume('ann');
        answers.push({ source, allowed, tookMs: performance.now() - fromMs, life: asked });
        await sleep(2);
      }
    };
    return { onUnavailable, limiter, answers, caller };
  });
  const away: Readonly<Record<OnUnavailable, LimitSource>> = { open: 'open', closed: 'closed', memory: 'fallback' };
  const lastFrom = (source: (one: OnUnavailable) => LimitSource): boolean =>
    runs.every(({ answers, onUnavailable }) =>
      answers.slice(-2 * CALLERS).every((answer) => answer.source === source(onUnavailable)),
    );
  // What this process itself was late by, which no limiter can help.
  let latestMs = 0;
  const control = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const fromMs = performance.now();
      await sleep(10);
      latestMs = Math.max(latestMs, performance.now() - fromMs - 10);
    }
  };
  try {
    await Promise.all(runs.map(({ limiter }) => limiter.ready()));
    const all = Promise.all([control(), ...runs.flatMap(({ caller }) => Array.from({ length: CALLERS }, caller))]);
    for (let kills = 0; kills < 2; kills++) {
      const before = runs.map(({ answers }) => answers.length);
      const more = (): boolean => runs.every(({ answers }, i) => answers.length > (before[i] ?? 0) + 2 * LIMIT);
      await until('Redis denies', () => more() && lastFrom(() => 'redis'));
      await server.process.end('SIGKILL');
      const then = runs.map(({ answers }) => answers.length);
      await until(
        'all are answered without Redis',
        () =>
          runs.every(({ answers }, i) => answers.length > (then[i] ?? 0) + 2 * LIMIT) && lastFrom((one) => away[one]),
      );
      life++;
      await server.process.start();
    }
    await until('Redis decides again', () => lastFrom(() => 'redis'));
    over.abort();
    await all;
  } finally {
    over.abort();
    await Promise.all(runs.map(({ limiter }) => limiter.close()));
    await server.stop();
  }
  for (const { onUnavailable, answers } of runs) {
    expect(new Set(answers.map(({ source }) => source))).toEqual(new Set(['redis', away[onUnavailable]]));
    const slowestMs = Math.max(...answers.map(({ tookMs }) => tookMs));
    expect(slowestMs).toBeLessThan(TIMEOUT_MS + 100 + 3 * latestMs);
    const local = answers.filter(({ source }) => source !== 'redis');
    const admitted = local.filter(({ allowed }) => allowed).length;
    // In this process alone, both outages together: they are within one window.
    expect(admitted).toBe({ open: local.length, closed: 0, memory: LIMIT }[onUnavailable]);
    for (const one of [1, 2, 3]) {
      const ofLife = answers.filter((answer) => answer.source === 'redis' && answer.life === one);
      expect(ofLife.filter(({ allowed }) => allowed).length).toBeLessThanOrEqual(LIMIT);
    }
  }
});
