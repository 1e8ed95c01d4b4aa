import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { startProxy, startRedis, until } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers } from '../src/index.ts';

const prefix = (): string => `t${randomBytes(6).toString('hex')}:`;

it('never leaves what the source does not hold, with writers, loads and deletes on three instances', async () => {
  const shared = prefix();
  const three = [1, 2, 3].map(() => createTiers({ redis: sharedRedis(), prefix: shared }));
  await Promise.all(three.map((tiers) => tiers.ready()));
  let round = 0;
  let stored = 0;
  const step = fc.record({
    instance: fc.nat({ max: 2 }),
    kind: fc.constantFrom('write', 'write', 'fail', 'load', 'delete', 'get'),
    startMs: fc.nat({ max: 12 }),
    commitMs: fc.nat({ max: 4 }),
    answerMs: fc.nat({ max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const id = `r${round++}`;
      let source = 0;
      const running = steps.map(async ({ instance, kind, startMs, commitMs, answerMs }, index) => {
        await sleep(startMs);
        const scope = three[instance]?.session(id);
        const save = async (value: number): Promise<void> => {
          await sleep(commitMs);
          source = value;
          await sleep(answerMs);
          // The source took it, and its answer was lost.
          if (kind === 'fail') throw new Error('lost');
        };
        if (kind === 'write') stored += (await scope?.writeThrough('k', index + 1, save))?.stored === true ? 1 : 0;
        if (kind === 'fail') await expect(scope?.writeThrough('k', index + 1, save)).rejects.toThrow('lost');
        if (kind === 'delete') await scope?.delete('k');
        if (kind === 'get') await scope?.get('k');
        if (kind === 'load')
          await scope?.getOrSet('k', async () => {
            await sleep(commitMs);
            const read = source;
            await sleep(answerMs);
            return read;
          });
      });
      await Promise.all(running);
      for (const tiers of three) {
        await until('the news arrived', async () =>
          [undefined, source].includes(await tiers.session(id).get<number>('k')),
        );
        expect(await tiers.session(id).getOrSet('k', () => source)).toBe(source);
      }
    }),
    { numRuns: 60 },
  );
  expect(stored).toBeGreaterThan(3);
  await Promise.all(three.map((tiers) => tiers.close()));
});

it('shows other instances no older value once the save has begun', async () => {
  const shared = prefix();
  const [one, two] = [1, 2].map(() => createTiers({ redis: sharedRedis(), prefix: shared }));
  await Promise.all([one?.ready(), two?.ready()]);
  const [mine, theirs] = [one?.session('s'), two?.session('s')];
  await theirs?.set('k', 'old');
  await theirs?.get('k');
  const seen: unknown[] = [];
  await mine?.writeThrough('k', 'new', async () => {
    await until('the other instance dropped it', () => theirs?.peek('k') === undefined);
    seen.push(await theirs?.get('k'));
  });
  seen.push(await theirs?.get('k'));
  expect(seen).toEqual([undefined, 'new']);
  await Promise.all([one?.close(), two?.close()]);
});

it('lets others load soon after the writing process is gone, and keeps its lease while it is slow', async () => {
  const shared = prefix();
  const load = { lease: '600ms' };
  const [one, two] = [1, 2].map(() => createTiers({ redis: sharedRedis(), prefix: shared, load }));
  await Promise.all([one?.ready(), two?.ready()]);
  let loads = 0;
  const loader = (): string => `loaded ${++loads}`;
  let waiting: Promise<string> | undefined;
  const slow = await one?.session('s').writeThrough('k', 'new', async () => {
    waiting = two?.session('s').getOrSet('k', loader);
    await sleep(1_500);
  });
  expect(slow).toMatchObject({ stored: true });
  expect([await waiting, loads]).toEqual(['new', 0]);
  void one?.session('s').writeThrough('gone', 'new', () => new Promise<void>(() => {}));
  await sleep(20);
  await one?.close();
  expect(await two?.session('s').getOrSet('gone', loader)).toBe('loaded 1');
  await two?.close();
});

it('saves while Redis is frozen, spends one deadline, and leaves no older value when Redis returns', async () => {
  const server = await startRedis();
  const link = await startProxy({ target: { port: server.port } });
  const tiers = createTiers({ redis: link.url });
  const other = createTiers({ redis: server.url });
  await Promise.all([tiers.ready(), other.ready()]);
  const [mine, theirs] = [tiers.session('s'), other.session('s')];
  await mine.setMany([
    ['away', 'old'],
    ['dies', 'old'],
    ['failed', 'old'],
  ]);
  const dying = await mine.writeThrough('dies', 'new', () => link.drop());
  expect(dying).toEqual({ saved: undefined, stored: false, confirmed: false });
  const saving = async () =>
    expect(await mine.writeThrough('away', 'new', () => 5)).toEqual({ saved: 5, stored: false, confirmed: false });
  expect(await ownTimeMs(saving)).toBeLessThan(450);
  await expect(mine.writeThrough('failed', 'new', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await mine.getMany(['away', 'dies', 'failed'])).toEqual([undefined, undefined, undefined]);
  expect(await theirs.get('away')).toBe('old');
  await link.normal();
  await until('the changes are invalidated', () => tiers.stats().unconfirmedScopes === 0);
  for (const scope of [mine, theirs])
    expect(await scope.getMany(['away', 'dies', 'failed'])).toEqual([undefined, undefined, undefined]);
  await Promise.all([tiers.close(), other.close()]);
  await link.stop();
  await server.stop();
});

it('stores what took longer than its lease, in a scope where nothing else happens', async () => {
  const tiers = createTiers({ redis: sharedRedis(), prefix: prefix(), load: { lease: '500ms' } });
  await tiers.ready();
  const scope = tiers.session('alone');
  expect(await scope.writeThrough('written', 'new', () => sleep(900))).toMatchObject({ stored: true });
  const another = tiers.session('another');
  await another.getOrSet('loaded', () => sleep(900, 'loaded'));
  expect([await scope.get('written'), await another.get('loaded')]).toEqual(['new', 'loaded']);
  await tiers.close();
});
