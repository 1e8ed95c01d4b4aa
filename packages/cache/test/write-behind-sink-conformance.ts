import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import type { WriteBehindOptions } from '../src/index.ts';
import { patient, Sink, type WriteBehindWorld } from './write-behind-world.ts';

/** Of what a sink is given, and when. */
export function writeBehindSinkConformance({ shared, prefix, open, fresh, tiers }: WriteBehindWorld): void {
  it('gives batches of the stated size, of several scopes together', async () => {
    const { sink, queue } = fresh({ ...patient, batch: { size: 10, age: '1h' } });
    const keys = Array.from({ length: 25 }, (_, index) => index);
    await Promise.all(
      keys.map((n) =>
        tiers()
          .session(`many${n % 3}-${prefix}`)
          .writeBehind(`k${n}`, n, queue),
      ),
    );
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

  it('tries again by itself what the sink did not take, later each time', async () => {
    const { sink, queue, scope } = fresh({ poll: '1h', retry: { backoff: 40, maxBackoff: 80 } });
    const calls: number[] = [];
    sink.fails = () => calls.push(performance.now()) <= 3;
    await scope.writeBehind('k', 1, queue);
    await until('the sink has it', () => sink.rows.size === 1);
    // A wait is a quarter shorter than was said at the most, and a timer a millisecond.
    const waits = calls.slice(1).map((atMs, i) => atMs - (calls[i] ?? 0));
    expect(waits).toHaveLength(3);
    for (const [i, least] of [28, 58, 58].entries()) expect(waits[i]).toBeGreaterThan(least);
    await queue.drain();
    expect(await queue.status()).toMatchObject({ backlog: 0, deadLetters: 0, here: { failures: 3, flushed: 1 } });
    // Also what fails while others are taken.
    let left = 4;
    sink.fails = (batch) => batch.some(({ key }) => key === 'bad') && left-- > 0;
    await Promise.all(['bad', 'good'].map((key) => scope.writeBehind(key, 1, queue)));
    await until('the sink has both', () => sink.rows.size === 3);
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

  it('puts nothing aside while the sink takes nothing at all, and asks it less often then', async () => {
    const retry = { attempts: 1, backoff: 1, maxBackoff: 2 };
    const { sink, queue, scope } = fresh({ batch: { size: 40, age: '1h' }, retry });
    sink.fails = () => true;
    await Promise.all(Array.from({ length: 40 }, (_, n) => scope.writeBehind(`k${n}`, n, queue)));
    const again = (): number => sink.batches.findIndex((batch, i) => i > 0 && batch.length === 40);
    await until('it is given all of it again', () => again() > 0);
    await until('it was tried often', () => sink.batches.length > 60);
    expect(await queue.status()).toMatchObject({ backlog: 40, deadLetters: 0 });
    // By halves down to single ones it would be asked 79 times for each batch.
    expect(again()).toBeLessThanOrEqual(16);
    sink.fails = () => false;
    await until('the sink has all', () => sink.rows.size === 40);
  });

  it('is closed in time though the sink never answers, tells it so, and leaves to others what it had', async () => {
    let told: AbortSignal | undefined;
    const flush: WriteBehindOptions['flush'] = (_, { signal }) => {
      told = signal;
      return new Promise(() => {});
    };
    const { id, queue, scope } = fresh({
      flush,
      batch: { age: 1 },
      retry: { attempts: 1, giveUpAfter: 1, backoff: '1h', maxBackoff: '1h' },
    });
    await scope.writeBehind('k', 1, queue);
    await until('the flush began', () => told !== undefined);
    await queue.close();
    expect(told?.aborted).toBe(true);
    expect(await queue.status()).toMatchObject({ backlog: 1, deadLetters: 0 });
    if (!shared) return;
    // Others need wait neither for the end of its lease, of 15 s, nor for a backoff.
    const other = await open();
    const taken = new Sink();
    other.writeBehind(queue.name, { flush: taken.flush, poll: 20 });
    await until('another took it', () => taken.value(`session/${id}/k`) === 1, 10_000);
    await other.close();
  });

  it('gives up a flush that takes too long, tells the sink, and tries again', async () => {
    const signals: AbortSignal[] = [];
    const flush: WriteBehindOptions['flush'] = (_, { signal }) =>
      signals.push(signal) === 1 ? new Promise(() => {}) : undefined;
    const { queue, scope } = fresh({
      flush,
      flushTimeout: 20,
      batch: { age: 1 },
      retry: { backoff: '1h', maxBackoff: 1 },
    });
    await scope.writeBehind('k', 1, queue);
    await until('it is tried again', () => signals.length === 2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await until('it is settled', async () => (await queue.status()).backlog === 0);
    expect((await queue.status()).here).toMatchObject({ failures: 1, lastError: expect.stringContaining('20 ms') });
  });

  it('flushes all that a batch has no room for, without being told again', async () => {
    const { sink, queue, scope } = fresh({ batch: { size: 10, age: 1 }, poll: '1h' });
    await Promise.all(Array.from({ length: 25 }, (_, n) => scope.writeBehind(`k${n}`, n, queue)));
    await until('the sink has all', () => sink.rows.size === 25);
    expect(Math.max(...sink.batches.map((batch) => batch.length))).toBeLessThanOrEqual(10);
  });

  it('flushes nothing where it is no worker, not even as it closes', async () => {
    const { sink, queue, scope } = fresh({ worker: false, batch: { size: 1 }, poll: 10 });
    await scope.writeBehind('k', 1, queue);
    expect(await queue.drain(60)).toBe(false);
    await queue.close();
    expect(sink.batches).toEqual([]);
    expect(await queue.status()).toMatchObject({ backlog: 1 });
  });

  it('bounds the bytes of a batch, about, and takes a larger write alone', async () => {
    const { sink, queue, scope } = fresh({ batch: { bytes: 10_000, age: 1 }, poll: '1h' });
    const sizes = [...Array.from({ length: 20 }, () => 4_000), 30_000];
    await Promise.all(sizes.map((size, n) => scope.writeBehind(`k${n}`, randomBytes(size), queue)));
    await until('the sink has all', () => sink.rows.size === sizes.length);
    const bytes = sink.batches.map((batch) => batch.reduce((sum, { value }) => sum + (value as Buffer).length, 0));
    expect(bytes.filter((one) => one > 12_000)).toEqual([30_000]);
  });

  it('ends at once when the sink refuses what is left, and flushes what came since it did', async () => {
    const retry = { backoff: '1h', maxBackoff: '1h' } as const;
    const refusing = fresh({ batch: { age: '1h' }, drainTimeout: '1h', retry });
    refusing.sink.fails = () => true;
    await refusing.scope.writeBehind('k', 1, refusing.queue);
    await refusing.queue.close();
    expect(refusing.sink.batches).toHaveLength(1);

    const { sink, id, queue, scope } = fresh({ batch: { age: 1 }, drainTimeout: '1h', retry });
    sink.fails = () => true;
    await scope.writeBehind('k', 1, queue);
    await until('it is refused', () => sink.batches.length === 1);
    sink.fails = () => false;
    await scope.writeBehind('later', 2, queue);
    await queue.close();
    expect(sink.value(`session/${id}/later`)).toBe(2);
  });

  it('flushes whatever was acknowledged before it closed', async () => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const { sink, queue, scope } = fresh({ ...patient, drainTimeout: '5s' });
      const writing = scope.writeBehind('k', ticks, queue).then(
        () => 1,
        (error: { code?: string }) => error.code,
      );
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      await queue.close();
      expect(await writing).toBe(sink.rows.size === 1 ? 1 : 'ERR_WRITE_BEHIND_CLOSED');
    }
  });

  it('counts the failures of a newer value of a key anew', async () => {
    const alone: unknown[] = [];
    const flush: WriteBehindOptions['flush'] = async (batch) => {
      const bad = batch.find(({ key }) => key === 'bad');
      if (bad === undefined) return;
      if (batch.length === 1 && alone.push(bad.value) === 2) await scope.writeBehind('bad', 'newer', queue);
      throw new Error('the sink refuses it');
    };
    const { queue, scope } = fresh({ flush, batch: { age: 1 }, retry: { attempts: 3, backoff: 1, maxBackoff: 5 } });
    await Promise.all(['bad', 'good'].map((key) => scope.writeBehind(key, 'older', queue)));
    await until('it is given up', async () => {
      await scope.writeBehind('good', Math.random(), queue);
      return (await queue.status()).deadLetters > 0;
    });
    expect(alone.filter((value) => value === 'newer').length).toBeGreaterThanOrEqual(3);
    expect((await queue.deadLetters()).map(({ item }) => item?.value)).toEqual(['newer']);
  });

  it('drops dead letters: those that are named, or all by a call of its own, and says how many there were', async () => {
    const { sink, queue, scope } = fresh({ batch: { size: 5, age: '1h' }, retry: { giveUpAfter: 1, backoff: 1 } });
    sink.fails = () => true;
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => scope.writeBehind(key, 1, queue)));
    await until('all are given up', async () => (await queue.drain(20)) && (await queue.status()).deadLetters === 5);
    const [first, second] = await queue.deadLetters({ limit: 2 });
    expect(await queue.discard([first?.id ?? '', '1-1'])).toBe(1);
    expect((await queue.deadLetters())[0]?.id).toBe(second?.id);
    await expect(queue.discard(undefined as never)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
    expect(await queue.discardAll()).toBe(4);
    expect(await queue.discardAll()).toBe(0);
    expect(await queue.deadLetters()).toEqual([]);
  });

  it('keeps about as many dead letters as it is told, and the last', async () => {
    const retry = { giveUpAfter: 1, backoff: 1 };
    const { sink, queue, scope } = fresh({ batch: { size: 1, age: 1 }, retry, maxDeadLetters: 2 });
    sink.fails = () => true;
    for (let n = 1; n <= 4; n++) {
      await scope.writeBehind('k', n, queue);
      await until('it is given up', async () => (await queue.status()).here.deadLetters === n);
    }
    const kept = (await queue.deadLetters()).map(({ item }) => item?.value);
    // Redis trims a hundred entries at a time.
    expect(kept).toEqual(shared ? [1, 2, 3, 4] : [3, 4]);
  });

  it('flushes what is there when it is closed, and refuses writes from then on', async () => {
    const { sink, queue, scope } = fresh({ ...patient, drainTimeout: '5s' });
    for (let n = 0; n < 30; n++) await scope.writeBehind(`k${n}`, n, queue);
    expect(sink.rows.size).toBe(0);
    await queue.close();
    expect(sink.rows.size).toBe(30);
    await expect(scope.writeBehind('k', 1, queue)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_CLOSED' });
  });
}
