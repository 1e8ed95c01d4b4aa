import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { calm, codesOf, expectExclusion, storm, useArena } from './safety/arena.ts';
import { arrivesLate } from './safety/arrives-late.ts';
import type { ContenderProcess } from './safety/contender-process.ts';
import { longestGapMs } from './safety/journal.ts';

const arena = useArena();

/** For as long as a ghost would last: far longer than those who come in after it wait. */
const GHOST_MS = 30_000;

/** Two processes get in one after the other: somebody else would have to have the lock to keep them out. */
async function expectFree(name: string): Promise<void> {
  const { journal, outcomes } = await storm({ ...calm, name, ttl: 2_000 }, arena.contenders.slice(0, 2));
  expectExclusion(journal);
  expect(codesOf(outcomes)).toEqual(['done']);
  expect(longestGapMs(journal)).toBeLessThan(4_000);
  await arena.nothingLeft(name);
}

it('leaves no ghost of a request that is applied after its caller was told that Redis did not answer', async () => {
  const cut = arena.contender(2);
  // The server knows the script, so that it can run it whenever it comes.
  await cut.ask('hold', 'known', 1_000);
  arena.proxy.hold();
  expect(await cut.ask('attempt', 'late', GHOST_MS)).toBe('ERR_LOCK_UNAVAILABLE');
  // Longer than a client keeps a silent connection: what takes the request back comes on another one.
  await sleep(1_100);
  await arena.proxy.normal();
  await until('it was applied', async () => (await arena.observer.inspect('late')).lastToken > 0n);
  await expectFree('late');
});

it('leaves no ghost of a request that is applied after a later one had got the lock and released it', async () => {
  const [one, , cut] = arena.contenders as [ContenderProcess, ContenderProcess, ContenderProcess];
  await one.ask('hold', 'later', 300);
  const waits = cut.ask('hold', 'later', GHOST_MS);
  await until('it waits', async () => (await arena.observer.inspect('later')).waiting === 1);
  arena.proxy.hold();
  // It asks again when the holder that it knows of should have run out, and hears nothing.
  await sleep(1_200);
  await arena.proxy.normal();
  await one.ask('release', 'later');
  await waits;
  const owner = (await arena.observer.inspect('later')).holders[0]?.owner ?? '';
  expect(owner).toMatch(/^three-/);
  expect(await cut.ask('release', 'later')).toBe(true);
  await arrivesLate(arena.server.url, { owner, resource: 'lock:{later}', shape: 'x', ttlMs: GHOST_MS });
  await expectFree('later');
});

it('gives away the locks and the places of a process that was killed, 100 ms past their time to live at the latest', async () => {
  const [next, killed] = arena.contenders as [ContenderProcess, ContenderProcess];
  const names = ['k0', 'k1', 'k2', 'k3'];
  const each = <T>(what: (name: string) => Promise<T>): Promise<T[]> => Promise.all(names.map(what));
  await each((name) => killed.ask('hold', name, 1_000));
  await each((name) => killed.ask('beginToWait', name, 3));
  const lates = each((name) => next.ask('takeOver', name, 5_000));
  await each((name) => until('all wait', async () => (await arena.observer.inspect(name)).waiting === 4));
  const left = await each((name) => killed.ask('report', name));
  await killed.stop();
  const killedNs = process.hrtime.bigint();
  const states = await each((name) => arena.observer.inspect(name));
  // Three places that wait for their turn to run out would take 1,500.
  for (const lateMs of await lates) expect(lateMs).toBeLessThan(100);
  const taken = await each((name) => next.ask('report', name));
  for (const [i, { stay }] of taken.entries()) {
    const [holder] = states[i]?.holders ?? [];
    expect(holder).toMatchObject({ token: left[i]?.stay.token });
    expect(Number(stay.fromNs - killedNs) / 1e6).toBeGreaterThan((holder?.ttlMs ?? 0) - 2);
    expectExclusion([left[i]?.stay ?? stay, stay]);
  }
  expect(await each((name) => next.ask('release', name))).not.toContain(false);
  await each((name) => arena.nothingLeft(name));
});
