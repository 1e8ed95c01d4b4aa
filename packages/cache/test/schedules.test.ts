import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { startProxy, startRedis, until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers } from '../src/index.ts';

const prefix = (): string => `t${randomBytes(6).toString('hex')}:`;

async function instances(count: number, lease: string): Promise<Tiers[]> {
  const shared = prefix();
  const made = Array.from({ length: count }, () =>
    createTiers({ redis: sharedRedis(), prefix: shared, load: { lease } }),
  );
  await Promise.all(made.map((tiers) => tiers.ready()));
  return made;
}

it('runs a task on one of four instances a turn, also when it takes longer than the lease', async () => {
  const four = await instances(4, '600ms');
  const starts: number[] = [];
  let running = 0;
  let most = 0;
  for (const tiers of four) {
    tiers.schedule('warm', { every: '1s' }, async () => {
      starts.push(performance.now());
      most = Math.max(most, ++running);
      await sleep(900);
      running--;
    });
  }
  await until('three turns', () => starts.length >= 3);
  await Promise.all(four.map((tiers) => tiers.close()));
  expect(most).toBe(1);
  for (let turn = 1; turn < starts.length; turn++)
    expect((starts[turn] ?? 0) - (starts[turn - 1] ?? 0)).toBeGreaterThan(950);
});

it('goes on with another instance when the one that runs the task ends, and tells the task', async () => {
  const [one, two] = await instances(2, '600ms');
  const runs: string[] = [];
  let told = false;
  one?.schedule('warm', { every: '1h' }, (signal) => {
    runs.push('one');
    signal.addEventListener('abort', () => (told = true));
    return new Promise(() => {});
  });
  await until('the first one runs it', () => runs.length === 1);
  two?.schedule('warm', { every: '1h' }, () => void runs.push('two'));
  await sleep(900);
  expect(runs).toEqual(['one']);
  await one?.close();
  expect(told).toBe(true);
  await until('the second one took over', () => runs.length === 2);
  await two?.close();
  expect(runs).toEqual(['one', 'two']);
});

it('does not repeat a turn that was done before a start, and tries a failed one again', async () => {
  const [one, two, three] = await instances(3, '600ms');
  let runs = 0;
  one?.schedule('daily', { every: '1d' }, () => void runs++);
  await until('it ran', () => runs === 1);
  await one?.close();
  two?.schedule('daily', { every: '1d' }, () => void runs++);
  let failures = 0;
  two?.schedule('failing', { every: '50ms' }, () => {
    failures++;
    throw new Error('no');
  });
  await until('the failed one was tried again', () => failures >= 2);
  expect(runs).toBe(1);
  await Promise.all([two?.close(), three?.close()]);
});

it('runs nothing while Redis is away, and begins when it is back', async () => {
  const server = await startRedis();
  const link = await startProxy({ target: { port: server.port } });
  const tiers = createTiers({ redis: link.url });
  await tiers.ready();
  link.refuse();
  link.cut();
  let runs = 0;
  tiers.schedule('warm', { every: '1h' }, () => void runs++);
  await sleep(300);
  expect(runs).toBe(0);
  await link.normal();
  await until('it runs', () => runs === 1);
  await tiers.close();
  await link.stop();
  await server.stop();
});

it('may be rarer than any timer is long', async () => {
  const tiers = createTiers({ redis: 'memory' });
  let runs = 0;
  tiers.schedule('yearly', { every: '365d' }, () => void runs++);
  await sleep(300);
  expect(runs).toBe(1);
  await tiers.close();
});

it('tells a task that its lease may be over while Redis is out of reach, before another instance begins', async () => {
  const server = await startRedis();
  const link = await startProxy({ target: { port: server.port } });
  const [near, far] = [link.url, server.url].map((redis) => createTiers({ redis, load: { lease: '900ms' } }));
  await Promise.all([near?.ready(), far?.ready()]);
  const events: string[] = [];
  near?.schedule('job', { every: '1h' }, (signal) => {
    events.push('one begins');
    return new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        events.push('one is told');
        resolve();
      });
    });
  });
  await until('it runs', () => events.length === 1);
  far?.schedule('job', { every: '1h' }, () => void events.push('two begins'));
  await sleep(500);
  link.drop();
  await until('the other one took over', () => events.includes('two begins'));
  expect(events).toEqual(['one begins', 'one is told', 'two begins']);
  await link.normal();
  await Promise.all([near?.close(), far?.close()]);
  await link.stop();
  await server.stop();
});

it('begins no task that was stopped while Redis was asked, and leaves it to others', async () => {
  const [one, two] = await instances(2, '30s');
  const runs: string[] = [];
  one?.schedule('job', { every: '1h' }, () => void runs.push('stopped')).stop();
  await sleep(200);
  two?.schedule('job', { every: '1h' }, () => void runs.push('other'));
  await until('the other one runs it', () => runs.length > 0);
  expect(runs).toEqual(['other']);
  await Promise.all([one?.close(), two?.close()]);
});
