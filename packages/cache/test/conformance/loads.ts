import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of loads of one key. */
export function loadsConformance({ fresh }: Subject): void {
  it('loads once for concurrent callers, and not at all on a hit', async () => {
    const scope = fresh();
    let loads = 0;
    const loader = async () => {
      loads++;
      await sleep(20);
      return { n: loads };
    };
    const answers = await Promise.all(Array.from({ length: 50 }, () => scope.getOrSet('v', loader)));
    expect(new Set(answers.map((answer) => answer.n))).toEqual(new Set([1]));
    expect(await scope.getOrSet('v', loader)).toEqual({ n: 1 });
    expect(loads).toBe(1);
  });

  it('passes the error of a loader to all who waited, and stores nothing', async () => {
    const scope = fresh();
    let loads = 0;
    const loader = async () => {
      loads++;
      await sleep(5);
      throw new Error('down');
    };
    const calls = await Promise.allSettled([scope.getOrSet('v', loader), scope.getOrSet('v', loader)]);
    expect(calls.map((call) => call.status)).toEqual(['rejected', 'rejected']);
    expect(loads).toBe(1);
    expect(await scope.has('v')).toBe(false);
  });

  it('returns a loaded value that cannot be stored', async () => {
    const scope = fresh();
    const value = { run: () => 1 };
    expect(await scope.getOrSet('v', () => value)).toBe(value);
    expect(await scope.getOrSet('u', () => undefined)).toBeUndefined();
    expect(await scope.has('v')).toBe(false);
    expect(await scope.has('u')).toBe(false);
  });

  it('does not store a load that began before a set, a delete or a clear', async () => {
    const changes: [string, (scope: ReturnType<typeof fresh>) => Promise<unknown>, unknown][] = [
      ['set', (scope) => scope.set('v', 'newer'), 'newer'],
      ['delete', (scope) => scope.delete('v'), undefined],
      ['clear', (scope) => scope.clear(), undefined],
      ['deleteByPattern', (scope) => scope.deleteByPattern('v*'), undefined],
    ];
    for (const [name, change, expected] of changes) {
      const scope = fresh();
      let finish: (() => void) | undefined;
      const began = new Promise<void>((resolve) => {
        void scope.getOrSet('v', () => {
          resolve();
          return new Promise((done) => (finish = () => done('older')));
        });
      });
      await began;
      await change(scope);
      finish?.();
      await sleep(30);
      expect([name, await scope.get('v')]).toEqual([name, expected]);
      expect([name, await scope.getOrSet('v', () => 'loaded again')]).toEqual([name, expected ?? 'loaded again']);
    }
  });
}
