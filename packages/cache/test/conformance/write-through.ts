import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of writing through. */
export function writeThroughConformance({ fresh }: Subject): void {
  it('writes through: the source first, then the cache', async () => {
    const scope = fresh();
    await scope.set('v', 'old');
    const seen: unknown[] = [];
    const save = async (value: string) => {
      seen.push(value, await scope.get('v'));
      return 7;
    };
    expect(await scope.writeThrough('v', 'new', save)).toEqual({ saved: 7, stored: true, confirmed: true });
    expect(seen).toEqual(['new', undefined]);
    expect(await scope.get('v')).toBe('new');
    await expect(scope.writeThrough('v', 'x', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await scope.get('v')).toBeUndefined();
    let saves = 0;
    const refused = scope.writeThrough(
      'v',
      () => 1,
      () => void saves++,
    );
    await expect(refused).rejects.toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED' });
    expect(saves).toBe(0);
  });

  it('keeps no load that began before a write through, and makes later ones wait for it', async () => {
    const scope = fresh();
    let source = 'old';
    const loading = deferred();
    const reading = deferred();
    const slow = scope.getOrSet('v', async () => {
      const read = source;
      loading.resolve();
      await reading.promise;
      return read;
    });
    await loading.promise;
    const saving = deferred();
    const committing = deferred();
    const writing = scope.writeThrough('v', 'new', async (value) => {
      saving.resolve();
      await committing.promise;
      source = value;
    });
    await saving.promise;
    reading.resolve();
    expect(await slow).toBe('old');
    expect(await scope.get('v')).toBeUndefined();
    let loads = 0;
    const later = scope.getOrSet('v', () => `${source} ${++loads}`);
    await sleep(20);
    committing.resolve();
    expect(await later).toBe('new');
    expect(loads).toBe(0);
    expect(await writing).toMatchObject({ stored: true });
    expect(await scope.get('v')).toBe('new');
  });

  it('keeps neither value where a set or a clear falls into a write through', async () => {
    const scope = fresh();
    const set = await scope.writeThrough('v', 'new', () => scope.set('v', 'between'));
    expect(set).toEqual({ saved: true, stored: false, confirmed: true });
    expect(await scope.get('v')).toBeUndefined();
    expect(await scope.writeThrough('v', 'new', () => scope.clear())).toMatchObject({ stored: false });
    expect(await scope.get('v')).toBeUndefined();
  });

  it('leaves no entry where two writes through overlap, since their order in the source is unknown', async () => {
    const scope = fresh();
    const [begun, first, second] = [deferred(), deferred(), deferred()];
    const writingOne = scope.writeThrough('v', 'one', () => (begun.resolve(), first.promise));
    await begun.promise;
    const writingTwo = scope.writeThrough('v', 'two', () => (first.resolve(), second.promise));
    expect(await writingOne).toMatchObject({ stored: false, confirmed: true });
    second.resolve();
    expect(await writingTwo).toMatchObject({ stored: false, confirmed: true });
    expect(await scope.get('v')).toBeUndefined();
  });
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
