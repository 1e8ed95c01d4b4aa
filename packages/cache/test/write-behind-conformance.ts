import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import {
  createTiers,
  type Tiers,
  type TiersOptions,
  type WriteBehindItem,
  type WriteBehindOptions,
} from '../src/index.ts';

export interface WriteBehindTarget {
  readonly name: string;
  readonly options: () => Promise<Pick<TiersOptions, 'redis' | 'durableRedis'>>;
}

/** A sink that can be told to fail, and remembers what it was given. */
class Sink {
  readonly batches: WriteBehindItem[][] = [];
  readonly rows = new Map<string, WriteBehindItem>();
  fails: (batch: readonly WriteBehindItem[]) => boolean = () => false;
  gate: Promise<void> = Promise.resolve();

  readonly flush = async (batch: readonly WriteBehindItem[]): Promise<void> => {
    this.batches.push([...batch]);
    await this.gate;
    if (this.fails(batch)) throw new Error('the sink failed');
    for (const item of batch) {
      const id = `${item.tier}/${item.scope}/${String(item.key)}`;
      const known = this.rows.get(id);
      if (known === undefined || known.version < item.version) this.rows.set(id, item);
    }
  };

  value(id: string): unknown {
    return this.rows.get(id)?.value;
  }

  /** What is given from now on waits until the returned function is called. */
  hold(): () => void {
    let open = (): void => {};
    this.gate = new Promise((resolve) => (open = resolve));
    return open;
  }
}

const patient = { batch: { age: '1h' }, poll: '1h' } as const;

/** What write-behind promises: one test for each sentence that a user can rely on. */
export function writeBehindConformance(target: WriteBehindTarget): void {
  describe(`${target.name}: write-behind`, () => {
    let tiers: Tiers;
    let count = 0;
    /** Whether another instance has the same data: memory is that of one. */
    const shared = target.name !== 'memory';
    const prefix = `w${randomBytes(6).toString('hex')}:`;
    const open = async (): Promise<Tiers> => {
      const opened = createTiers({ ...(await target.options()), prefix, reclaim: '50ms' });
      await opened.ready('10s');
      return opened;
    };
    const fresh = (options: Partial<WriteBehindOptions> = {}) => {
      const sink = new Sink();
      const id = `s${count++}`;
      const queue = tiers.writeBehind(`q${count}`, { flush: sink.flush, drainTimeout: '50ms', ...options });
      return { sink, id, queue, scope: tiers.session(id) };
    };
    const noLoad = (): never => {
      throw new Error('nobody may load what is pending');
    };

    beforeAll(async () => {
      tiers = await open();
    });
    afterAll(() => tiers.close());

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
      const { sink, id, queue, scope } = fresh(patient);
      // The first ones of a scope wait for it to be registered, and none that comes later may pass them.
      const rounds: Promise<number>[] = [];
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 90; i++)
          rounds.push(scope.writeBehind(i % 3 === 0 ? 'hot' : `key${i}`, round * 90 + i, queue));
        await Promise.resolve();
      }
      const versions = await Promise.all(rounds);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      expect(await scope.get('hot')).toBe(267);
      expect(await queue.drain('20s')).toBe(true);
      expect(sink.value(`session/${id}/hot`)).toBe(267);
      expect(sink.value(`session/${id}/key88`)).toBe(268);
      expect(sink.rows.size).toBe(61);
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

    it('gives batches of the stated size, of several scopes together', async () => {
      const { sink, queue } = fresh({ ...patient, batch: { size: 10, age: '1h' } });
      const keys = Array.from({ length: 25 }, (_, index) => index);
      await Promise.all(keys.map((n) => tiers.session(`many${n % 3}-${prefix}`).writeBehind(`k${n}`, n, queue)));
      await queue.drain();
      expect(sink.rows.size).toBe(25);
      expect(Math.max(...sink.batches.map((batch) => batch.length))).toBeLessThanOrEqual(10);
      expect(sink.batches.length).toBeLessThan(10);
    });

    it('flushes a newer value after one that was being flushed, and does not lose it', async () => {
      const { sink, id, queue, scope } = fresh({ batch: { age: 1 } });
      const letGo = sink.hold();
      await scope.writeBehind('k', 'old', queue);
      await until('the flush began', () => sink.batches.length === 1);
      await scope.writeBehind('k', 'new', queue);
      expect(await scope.get('k')).toBe('new');
      letGo();
      await queue.drain();
      expect(sink.batches.flat().map(({ value }) => value)).toEqual(['old', 'new']);
      expect(sink.value(`session/${id}/k`)).toBe('new');
    });

    it('tries again what the sink did not take', async () => {
      const { sink, queue, scope } = fresh({ retry: { backoff: 5, maxBackoff: 20 } });
      let fails = 3;
      sink.fails = () => fails-- > 0;
      await scope.writeBehind('k', 1, queue);
      await until('the sink has it', () => sink.rows.size === 1);
      await queue.drain();
      expect(await queue.status()).toMatchObject({ backlog: 0, deadLetters: 0, here: { failures: 3, flushed: 1 } });
    });

    it('puts what fails by itself aside, while the rest goes on, and replays it', async () => {
      const { sink, id, queue, scope } = fresh({ retry: { attempts: 2, backoff: 5, maxBackoff: 10 } });
      sink.fails = (batch) => batch.some(({ value }) => value === 'bad');
      const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
      await Promise.all(keys.map((key) => scope.writeBehind(key, key === 'k7' ? 'bad' : 'good', queue)));
      await until('the bad one is put aside', async () => {
        // Others must be taken meanwhile, or it could as well be the sink that fails.
        await scope.writeBehind('other', Math.random(), queue);
        return (await queue.status()).deadLetters === 1;
      });
      await queue.drain();
      expect(sink.rows.size).toBe(20);
      const [letter] = await queue.deadLetters();
      expect(letter).toMatchObject({ reason: 'Error: the sink failed', failures: 2 });
      expect(letter?.item).toMatchObject({ scope: id, key: 'k7', value: 'bad' });

      sink.fails = () => false;
      await scope.set('k7', 'older, from the source');
      expect(await queue.replay()).toEqual({ replayed: 1, superseded: 0 });
      await queue.drain();
      expect(sink.rows.get(`session/${id}/k7`)).toMatchObject({ value: 'bad', version: letter?.item?.version });
      expect(await queue.deadLetters()).toEqual([]);
      expect(await scope.get('k7')).toBeUndefined();
    });

    it('drops a dead letter at its replay when something newer of its key is pending', async () => {
      const { sink, queue, scope } = fresh({ ...patient, retry: { giveUpAfter: 1, backoff: 1 } });
      sink.fails = () => true;
      await scope.writeBehind('k', 'bad', queue);
      await sleep(5);
      await until('it is given up', async () => (await queue.drain(50)) && (await queue.status()).deadLetters === 1);
      sink.fails = () => false;
      await scope.writeBehind('k', 'newer', queue);
      expect(await queue.replay()).toEqual({ replayed: 0, superseded: 1 });
      await queue.drain();
      expect([...sink.rows.values()].map(({ value }) => value)).toEqual(['newer']);
    });

    it('puts nothing aside while the sink takes nothing at all', async () => {
      const { sink, queue, scope } = fresh({ retry: { attempts: 1, backoff: 1, maxBackoff: 2 } });
      sink.fails = () => true;
      for (let n = 0; n < 40; n++) await scope.writeBehind(`k${n}`, n, queue);
      await until('it was tried often', () => sink.batches.length > 60);
      expect(await queue.status()).toMatchObject({ backlog: 40, deadLetters: 0 });
      sink.fails = () => false;
      await until('the sink has all', () => sink.rows.size === 40);
    });

    it('takes over what a worker that died had claimed', async () => {
      const { sink, id, queue, scope } = fresh({ batch: { age: 1 }, lease: 60, poll: 20 });
      const letGo = sink.hold();
      await scope.writeBehind('k', 1, queue);
      await until('the flush began', () => sink.batches.length === 1);
      // As dead as it can be in one process: it neither ends its flush nor renews its claim.
      const dead = queue.close();
      const other = await open();
      const taken = new Sink();
      other.writeBehind(queue.name, { flush: taken.flush, poll: 20 });
      if (shared) await until('another took it', () => taken.value(`session/${id}/k`) === 1);
      await other.close();
      letGo();
      await dead;
    });

    it('flushes what is there when it is closed, and refuses writes from then on', async () => {
      const { sink, queue, scope } = fresh({ ...patient, drainTimeout: '5s' });
      for (let n = 0; n < 30; n++) await scope.writeBehind(`k${n}`, n, queue);
      expect(sink.rows.size).toBe(0);
      await queue.close();
      expect(sink.rows.size).toBe(30);
      await expect(scope.writeBehind('k', 1, queue)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_CLOSED' });
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
      await tiers.global.writeBehind('g:1', { v: 1 }, queue);
      await tiers.global.writeBehind('g:2', { v: 2 }, queue);
      expect(await tiers.global.get('g:1')).toEqual({ v: 1 });
      await tiers.global.clear();
      expect(await tiers.global.getOrSet('g:1', noLoad)).toEqual({ v: 1 });
      await tiers.global.deleteBehind('g:2', queue);
      expect(await tiers.global.getOrSet('g:2', noLoad)).toBeUndefined();
      await queue.drain();
      expect(sink.value('global/undefined/g:1')).toEqual({ v: 1 });
      expect(sink.rows.get('global/undefined/g:2')?.deleted).toBe(true);
    });

    it('refuses what cannot be written, before anything is sent', async () => {
      const { queue, scope } = fresh(patient);
      await expect(scope.writeBehind('k', undefined, queue)).rejects.toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED' });
      await expect(scope.writeBehind('', 1, queue)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      await expect(scope.writeBehind('k'.repeat(600), 1, queue)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      const other = await open();
      await expect(other.session('x').writeBehind('k', 1, queue)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
      await other.close();
      expect(await queue.status()).toMatchObject({ backlog: 0 });
    });

    it('names every fault of its options at once', () => {
      const wrong = { flush: 1, batch: { size: 0, bulk: 1 }, retry: { backoff: '5' }, pol: 1 };
      expect(() => tiers.writeBehind('1 x', wrong as unknown as WriteBehindOptions)).toThrow(
        expect.objectContaining({
          code: 'ERR_CACHE_OPTIONS',
          details: expect.objectContaining({ faults: expect.objectContaining({ length: 6 }) }),
        }),
      );
      const { queue } = fresh();
      expect(() => tiers.writeBehind(queue.name, { flush: () => {} })).toThrow(/already/);
    });
  });
}
