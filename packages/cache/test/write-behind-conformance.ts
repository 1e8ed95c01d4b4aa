import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import type { WriteBehindOptions } from '../src/index.ts';
import { writeBehindSinkConformance } from './write-behind-sink-conformance.ts';
import { patient, writeBehindWorld, type WriteBehindTarget } from './write-behind-world.ts';

/** What write-behind promises: one test for each sentence that a user can rely on. */
export function writeBehindConformance(target: WriteBehindTarget): void {
  describe(`${target.name}: write-behind`, () => {
    const world = writeBehindWorld(target);
    const { shared, open, fresh } = world;
    const noLoad = (): never => {
      throw new Error('nobody may load what is pending');
    };
    writeBehindSinkConformance(world);

    it('takes what was written to the sink, with its place, its version and its time', async () => {
      const { sink, id, queue, scope } = fresh();
      const version = await scope.writeBehind(['a', 'b:c'], { n: 1, at: new Date(5) }, queue);
      expect(await scope.get(['a', 'b:c'])).toEqual({ n: 1, at: new Date(5) });
      await until('the sink has it', () => sink.rows.size === 1);
      const [item] = sink.rows.values();
      expect(item).toMatchObject({ tier: 'session', scope: id, key: ['a', 'b:c'], version, deleted: false });
      expect(item?.value).toEqual({ n: 1, at: new Date(5) });
      expect(Math.abs(Date.now() - (item?.enqueuedAtMs ?? 0))).toBeLessThan(60_000);
      expect(await queue.drain()).toBe(true);
    });

    it('keeps of a key the latest write alone, with a version above the earlier ones', async () => {
      const { sink, id, queue, scope } = fresh(patient);
      const versions: number[] = [];
      for (let n = 0; n < 5; n++) versions.push(await scope.writeBehind('k', n, queue));
      versions.push(...(await Promise.all([5, 6, 7].map((n) => scope.writeBehind('k', n, queue)))));
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(new Set(versions).size).toBe(8);
      await queue.drain();
      expect(sink.batches.flat().map(({ value }) => value)).toEqual([7]);
      expect(sink.rows.get(`session/${id}/k`)?.version).toBe(versions.at(-1));
    });

    it('keeps the order of writes that are made at once, more than go out in one step', async () => {
      const { sink, id, queue, scope: known } = fresh(patient);
      // The first ones of a scope wait for it to be registered, and of a tier for it to be told; none that comes later may pass them.
      const tier = `order-${queue.name}`;
      const scope = world.tiers().tier(tier, { ttl: '1m' })(id);
      // A server that does not know the scripts takes those in flight as it is told them again.
      await known.writeBehind('first', 1, queue);
      const rounds: Promise<number>[] = [];
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 90; i++)
          rounds.push(scope.writeBehind(i % 3 === 0 ? 'hot' : `key${i}`, round * 90 + i, queue));
        await Promise.resolve();
      }
      // Also those that come while it is being registered, in turns of their own, and just after.
      let last = 269;
      let left = 20;
      void rounds[0]?.finally(() => (left = 5));
      for (; left > 0; left -= left > 5 ? 0 : 1) {
        rounds.push(scope.writeBehind('hot', ++last, queue));
        await nextTurn();
      }
      const versions = await Promise.all(rounds);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      expect(await scope.get('hot')).toBe(last);
      expect(await queue.drain('20s')).toBe(true);
      expect(sink.value(`${tier}/${id}/hot`)).toBe(last);
      expect(sink.value(`${tier}/${id}/key88`)).toBe(268);
      expect(sink.rows.size).toBe(62);
    });

    it('says of each write that is made at once whether it was kept', async () => {
      const { queue, scope } = fresh({ ...patient, maxBacklog: 30 });
      const names = Array.from({ length: 80 }, (_, i) => `key${i % 40}`);
      const ended = await Promise.allSettled(names.map((name, i) => scope.writeBehind(name, i, queue)));
      // Forty names, thirty of which have room; what has it may be written again.
      expect(ended.map(({ status }) => status === 'fulfilled')).toEqual(names.map((_, i) => i % 40 < 30));
      for (const one of ended) {
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_WRITE_BEHIND_FULL' });
      }
      expect(await scope.getMany(['key0', 'key29', 'key30'])).toEqual([40, 69, undefined]);
    });

    it('goes on with versions above the earlier ones when everything was flushed', async () => {
      const { queue, scope } = fresh(patient);
      const first = await scope.writeBehind('k', 1, queue);
      await queue.drain();
      expect(await scope.writeBehind('k', 2, queue)).toBeGreaterThan(first);
    });

    it.each(['cleared', 'expired', 'deleted', 'ended by a tag'])(
      'is read while it is pending, without a load, when the cached entry was %s',
      async (end) => {
        const { sink, id, queue, scope } = fresh(patient);
        await scope.writeBehind('k', { v: 1 }, queue, end === 'expired' ? { ttl: 20 } : { tags: ['t'] });
        if (end === 'cleared') await scope.clear();
        if (end === 'deleted') await scope.delete('k');
        if (end === 'ended by a tag') await scope.invalidateTags(['t']);
        if (end === 'expired') await sleep(40);
        const other = await open();
        for (const reader of shared ? [scope, other.session(id)] : [scope]) {
          expect(await reader.get('k')).toEqual({ v: 1 });
          expect(await reader.getOrSet('k', noLoad)).toEqual({ v: 1 });
          expect(await reader.getMany(['k', 'none'])).toEqual([{ v: 1 }, undefined]);
          expect(await reader.getOrSetMany(['k'], noLoad)).toEqual([{ v: 1 }]);
          expect(await reader.has('k')).toBe(true);
        }
        await other.close();
        expect(await queue.drain()).toBe(true);
        expect(sink.value(`session/${id}/k`)).toEqual({ v: 1 });
        expect(await scope.getOrSet('k', () => 'from the source')).toBe('from the source');
      },
    );

    it('puts a deletion into the queue, and answers that there is none while it is pending', async () => {
      const { sink, id, queue, scope } = fresh(patient);
      await scope.writeBehind('k', 1, queue);
      await queue.drain();
      const version = await scope.deleteBehind('k', queue);
      const other = await open();
      for (const reader of shared ? [scope, other.session(id)] : [scope]) {
        expect(await reader.get('k')).toBeUndefined();
        expect(await reader.getOrSet('k', noLoad)).toBeUndefined();
        expect(await reader.has('k')).toBe(false);
      }
      await other.close();
      await queue.drain();
      expect(sink.rows.get(`session/${id}/k`)).toMatchObject({ deleted: true, value: undefined, version });
      expect(await scope.getOrSet('k', () => 'loaded')).toBe('loaded');
    });

    it('is acknowledged only once it is in the queue, and refused with a code when that is full', async () => {
      const { sink, queue, scope } = fresh({ ...patient, maxBacklog: 3 });
      for (const key of ['a', 'b', 'c']) await scope.writeBehind(key, 1, queue);
      await expect(scope.writeBehind('d', 1, queue)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_FULL' });
      await scope.writeBehind('a', 2, queue);
      expect(await scope.get('d')).toBeUndefined();
      expect(await queue.status()).toMatchObject({ backlog: 3, scopes: 1 });
      await queue.drain();
      await scope.writeBehind('d', 1, queue);
      await queue.drain();
      expect(sink.rows.size).toBe(4);
    });

    it('holds a key for one queue at a time', async () => {
      const { queue, scope } = fresh(patient);
      const other = fresh(patient).queue;
      await scope.writeBehind('k', 1, queue);
      await expect(scope.writeBehind('k', 2, other)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_QUEUE' });
      expect(await scope.get('k')).toBe(1);
      await queue.drain();
      await scope.writeBehind('k', 3, other);
      await other.drain();
    });

    it('is heard of before the first write of a tier, so that those who were there do not load what is pending', async () => {
      const { queue } = fresh(patient);
      const other = shared ? await open() : world.tiers();
      const tier = `late-${queue.name}`;
      const [writer, reader] = [world.tiers(), other].map((one) => one.tier(tier, { ttl: '1m' })('x'));
      expect(await reader?.get('k')).toBeUndefined();
      await writer?.writeBehind('k', 1, queue);
      await writer?.delete('k');
      await until('it is read', async () => (await reader?.get('k')) === 1);
      await writer?.deleteBehind('k', queue);
      await until('and its deletion', async () => (await reader?.get('k')) === undefined);
      expect(await reader?.getOrSet('k', noLoad)).toBeUndefined();
      if (shared) await other.close();
    });

    it('ends what others keep of a key, and what they were loading', async () => {
      const { queue, id, scope } = fresh(patient);
      const other = shared ? await open() : world.tiers();
      const reader = other.session(id);
      for (const next of ['written', 'deleted']) {
        await reader.set('kept', 'old');
        expect(await reader.get('kept')).toBe('old');
        let answer: ((value: string) => void) | undefined;
        const loading = reader.getOrSet(`loaded ${next}`, () => new Promise<string>((resolve) => (answer = resolve)));
        await until('it is being loaded', () => answer !== undefined);
        for (const key of ['kept', `loaded ${next}`]) {
          if (next === 'written') await scope.writeBehind(key, 'new', queue);
          else await scope.deleteBehind(key, queue);
        }
        const now = next === 'written' ? 'new' : undefined;
        await until('what is kept ends', async () => (await reader.get('kept')) === now);
        await queue.drain();
        answer?.('old');
        expect(await loading).toBe('old');
        await until('what was loaded is not kept', async () => (await reader.get(`loaded ${next}`)) === now);
        expect(await scope.get(`loaded ${next}`)).toBe(now);
      }
      if (shared) await other.close();
    });

    it('tells how much is pending and since when', async () => {
      const { queue, scope } = fresh(patient);
      expect(await queue.status()).toMatchObject({ backlog: 0, oldestAgeMs: 0, scopes: 0, deadLetters: 0 });
      await scope.writeBehind('a', 1, queue);
      await sleep(30);
      await scope.writeBehind('a', 2, queue);
      await scope.writeBehind('b', 2, queue);
      const status = await queue.status();
      expect(status).toMatchObject({ backlog: 2, scopes: 1 });
      expect(status.oldestAgeMs).toBeGreaterThanOrEqual(25);
    });

    it('works for the global tier, whose keys have no slot in common', async () => {
      const { sink, queue } = fresh(patient);
      await world.tiers().global.writeBehind('g:1', { v: 1 }, queue);
      await world.tiers().global.writeBehind('g:2', { v: 2 }, queue);
      expect(await world.tiers().global.get('g:1')).toEqual({ v: 1 });
      await world.tiers().global.clear();
      expect(await world.tiers().global.getOrSet('g:1', noLoad)).toEqual({ v: 1 });
      await world.tiers().global.deleteBehind('g:2', queue);
      expect(await world.tiers().global.getOrSet('g:2', noLoad)).toBeUndefined();
      await queue.drain();
      expect(sink.value('global/undefined/g:1')).toEqual({ v: 1 });
      expect(sink.rows.get('global/undefined/g:2')?.deleted).toBe(true);
    });

    it('refuses what cannot be written, before anything is sent', async () => {
      const { queue, scope } = fresh(patient);
      await expect(scope.writeBehind('k', undefined, queue)).rejects.toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED' });
      await expect(scope.writeBehind('', 1, queue)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      await expect(scope.writeBehind('k'.repeat(600), 1, queue)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      const long = world.tiers().session('s'.repeat(600));
      await expect(long.writeBehind('k', 1, queue)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      await expect(long.deleteBehind('k', queue)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      const other = await open();
      await expect(other.session('x').writeBehind('k', 1, queue)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
      await other.close();
      expect(await queue.status()).toMatchObject({ backlog: 0 });
    });

    it('names every fault of its options at once', () => {
      const wrong = { flush: 1, batch: { size: 0, bulk: 1 }, retry: { backoff: '5' }, pol: 1 };
      expect(() => world.tiers().writeBehind('1 x', wrong as unknown as WriteBehindOptions)).toThrow(
        expect.objectContaining({
          code: 'ERR_CACHE_OPTIONS',
          details: expect.objectContaining({ faults: expect.objectContaining({ length: 6 }) }),
        }),
      );
      const { queue } = fresh();
      expect(() => world.tiers().writeBehind(queue.name, { flush: () => {} })).toThrow(/already/);
    });
  });
}
