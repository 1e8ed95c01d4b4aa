import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import type { ListedLock, Locks } from '../src/index.ts';

/** All that is listed, page by page. */
export async function listAll(locks: Locks, limit: number): Promise<readonly ListedLock[]> {
  const all = new Map<string, ListedLock>();
  let cursor: string | undefined;
  do {
    const page = await locks.list({ limit, cursor });
    expect(page.locks.length).toBeLessThanOrEqual(limit);
    for (const lock of page.locks) all.set(`${lock.kind} ${lock.name}`, lock);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return [...all.values()];
}

/** What every driver says of the locks that are held or waited for. */
export function listing(locks: () => { readonly one: Locks; readonly two: Locks }, fresh: () => string): void {
  it('lists what is held and waited for, page by page, by names that can be looked at and released', async () => {
    const { one, two } = locks();
    const names = [fresh(), fresh(), fresh(), `${fresh()} ${'long '.repeat(200)}`];
    const held = await Promise.all(names.map((name, i) => (i % 2 === 0 ? one : two).acquire(name)));
    const waits = one.acquire(names[1] as string);
    await until('it waits', async () => (await one.inspect(names[1] as string)).waiting === 1);
    const listed = (await listAll(two, 3)).filter(({ name }) => held.some((lock) => lock.name === name));
    const seen = new Map(listed.map(({ name, ...counts }) => [name, counts]));
    const alone = { kind: 'lock', holders: 1, waiting: 0, foreign: false };
    expect(held.map(({ name }) => seen.get(name))).toEqual([alone, { ...alone, waiting: 1 }, alone, alone]);
    for (const lock of listed) {
      const token = held.find(({ name }) => name === lock.name)?.token;
      expect((await two.inspect(lock)).holders).toMatchObject([{ token }]);
      expect(await two.forceRelease(lock)).toBe(true);
    }
    await (await waits).release();
    for (const lock of held) expect(await lock.release()).toBe(false);
    const left = await listAll(one, 1_000);
    expect(left.filter(({ name }) => held.some((lock) => lock.name === name))).toEqual([]);
  });

  it('refuses a page that cannot be', async () => {
    const { one } = locks();
    const cursors = ['', 'x', 'm', '0-', '-1-0', '9999-0', '0-99999999999999999999', '0-0-0-', 'm!', '0-0-1'];
    const wrong = [
      ...cursors.map((cursor) => ({ cursor })),
      { limit: 0 },
      { limit: 1.5 },
      { limit: 1_001 },
      { from: 1 },
    ];
    for (const options of wrong) {
      await expect(one.list(options as object)).rejects.toMatchObject({ code: 'ERR_LOCK_OPTIONS' });
    }
  });
}
