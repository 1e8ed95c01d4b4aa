import { silentLogger, systemClock } from '@tierkit/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import type { Tiers } from '../src/index.ts';
import { MemoryStore } from '../src/stores/memory-store.ts';
import { rootAddress, scopedAddress, type ScopeAddress } from '../src/scope-address.ts';
import { MemoryTagSource } from '../src/tags/memory-tag-source.ts';
import { TagTables } from '../src/tags/tag-tables.ts';
import { UnconfirmedChanges } from '../src/writes/unconfirmed-changes.ts';
import { ownRedis } from './support/own-redis.ts';

describe('against Redis', () => {
  const own = ownRedis();

  const settled = (tiers: Tiers): Promise<unknown> =>
    until('all is invalidated', () => tiers.stats().unconfirmedScopes === 0 && tiers.stats().coherent);

  it('invalidates a tier as a whole when too many of its scopes changed, and no other tier', async () => {
    const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
    await far.session('deleted').set('k', 'old');
    await far.session('lost generation').set('k', 'old');
    await far.session('untouched').set('k', 1);
    await far.project('p').set('k', 1);
    await far.global.set('k', 1);
    await own.raw.del('session:{lost%20generation}');
    for (const id of ['tagged early', 'tagged late']) {
      await near.session(id).set('k', 'old', { tags: ['t'] });
      expect(await near.session(id).get('k')).toBe('old');
    }
    expect(far.session('lost generation').peek('k')).toBe('old');
    own.link.refuse();
    own.link.cut();
    await until('the connection is lost', async () => !(await near.project('q').set('k', 1)));
    expect(await near.session('tagged early').invalidateTags(['t'])).toBe(false);
    for (let n = 0; n < 12_000; n++) await near.session(n).delete('k');
    expect(near.stats().unconfirmedScopes).toBe(2);
    for (const id of ['deleted', 'lost generation']) expect(await near.session(id).delete('k')).toBe(false);
    expect(near.stats().unconfirmedScopes).toBe(2);
    expect(await near.session('tagged late').invalidateTags(['t'])).toBe(false);
    for (const id of ['untouched', 'tagged early', 'tagged late']) {
      expect(await near.session(id).get('k')).toBeUndefined();
    }
    await own.link.normal();
    await settled(near);
    await until('others have heard of it', () => far.session('deleted').peek('k') === undefined);
    for (const id of ['deleted', 'lost generation', 'untouched', 'tagged early', 'tagged late']) {
      for (const tiers of [far, near]) expect(await tiers.session(id).get('k')).toBeUndefined();
    }
    for (const tiers of [far, near]) {
      expect(await tiers.project('p').get('k')).toBe(1);
      expect(await tiers.global.get('k')).toBe(1);
    }
    for (const id of ['deleted', 'tagged early', 'tagged late']) {
      await near.session(id).set('k', 'new', { tags: ['t'] });
      for (const tiers of [far, near]) expect(await tiers.session(id).get('k')).toBe('new');
    }
  });

  it('invalidates a scope as a whole when too many of its names changed, and no other scope', async () => {
    const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
    await far.session('many').setMany([['k', 1]]);
    await far.session('few').set('k', 1);
    own.link.refuse();
    own.link.cut();
    await until('the connection is lost', async () => !(await near.project('q').set('k', 1)));
    const names = Array.from({ length: 10_001 }, (_, n) => `n${n}`);
    expect(await near.session('many').deleteMany(names)).toBe(false);
    expect(await near.session('few').deleteMany(names.slice(1))).toBe(false);
    await own.link.normal();
    await settled(near);
    expect(await far.session('many').get('k')).toBeUndefined();
    expect(await far.session('few').get('k')).toBe(1);
  });

  it('is held up by nothing that cannot be invalidated yet', async () => {
    const tiers = await own.tiersAt(own.server.url);
    await tiers.session('s').set('k', 'old');
    // Something else's key where a generation belongs: the scope cannot be cleared while it is there.
    await own.raw.rpush('session:{bad}', 'x');
    expect(await tiers.session('bad').clear()).toBe(false);
    await own.raw.config('SET', 'maxmemory', '1');
    expect(await tiers.session('s').set('k', 'new')).toBe(false);
    await until('the entry is removed', async () => (await own.raw.exists('session:{s}:k')) === 0);
    await until('it is not in doubt', () => tiers.stats().unconfirmedScopes === 1);
    await own.raw.config('SET', 'maxmemory', '0');
    await own.raw.del('session:{bad}');
    await settled(tiers);
  });

  it('clears a tier whose server has no memory left', async () => {
    const [near, far] = [await own.tiersAt(own.server.url), await own.tiersAt(own.server.url)];
    await near.global.set('k', 1);
    expect(await far.global.get('k')).toBe(1);
    await own.raw.config('SET', 'maxmemory', '1');
    expect(await near.global.clear()).toBe(true);
    await until('the other instance has heard', () => far.global.peek('k') === undefined);
    expect([await near.global.get('k'), await far.global.get('k')]).toEqual([undefined, undefined]);
    await own.raw.config('SET', 'maxmemory', '0');
    expect(await near.global.set('k', 2)).toBe(true);
    expect(await far.global.get('k')).toBe(2);
  });

  it.each(['clear', 'deleteByPattern'] as const)('undoes no write with an earlier %s', async (change) => {
    const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
    await far.project('p').set('k', 'old');
    own.link.refuse();
    own.link.cut();
    await until('the connection is lost', async () => !(await near.session('other').set('k', 1)));
    if (change === 'clear') expect(await near.project('p').clear()).toBe(false);
    else expect(await near.project('p').deleteByPattern('k*')).toMatchObject({ confirmed: false });
    await own.link.normal();
    await until('a write is confirmed', () => near.project('p').set('k', 'new'));
    await settled(near);
    expect([await near.project('p').get('k'), await far.project('p').get('k')]).toEqual(['new', 'new']);
  });

  it('does not serve again what it learned to be gone', async () => {
    const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
    await far.session('s').set('token', 'v1');
    expect(await near.session('s').get('token')).toBe('v1');
    own.link.refuse();
    own.link.cut();
    await until('the feed is lost', () => !near.stats().coherent);
    await far.session('s').delete('token', { required: true });
    await own.link.normal();
    await settled(near);
    expect(await near.session('s').get('token')).toBeUndefined();
    own.link.refuse();
    own.link.cut();
    await until('the feed is lost again', () => !near.stats().coherent);
    expect(await near.session('s').get('token')).toBeUndefined();
  });
});

describe('bookkeeping', () => {
  const a = scopedAddress('', 'session', 'a');
  const b = scopedAddress('', 'session', 'b');
  let changes: UnconfirmedChanges;

  beforeEach(() => {
    const source = new MemoryTagSource('tags', 10);
    const tags = new TagTables(source, 'tags', { live: true });
    const memory = { clock: systemClock, maxEntries: 10, maxBytes: 1_000, tags: source, onLoaded: () => {} };
    changes = new UnconfirmedChanges(new MemoryStore(memory), tags, silentLogger);
  });
  afterEach(() => changes.close());

  const covered = (scope: ScopeAddress, ...names: string[]): boolean[] =>
    names.map((name) => changes.covers(scope, name));

  it('lets what was sent before settle nothing', () => {
    const early = changes.moment;
    changes.addNames(a, ['k', 'l']);
    changes.addPattern(a, 'p*');
    changes.settle(a, ['k'], early);
    changes.settleAll(a, early);
    expect(covered(a, 'k', 'l', 'p1', 'm')).toEqual([true, true, true, false]);
    changes.settle(a, ['k'], changes.moment);
    expect(covered(a, 'k', 'l')).toEqual([false, true]);
    changes.addAll(a);
    changes.settle(a, ['m'], changes.moment);
    expect(covered(a, 'm')).toEqual([true]);
    changes.settleAll(a, changes.moment);
    expect(covered(a, 'k', 'l', 'p1', 'm')).toEqual([false, false, false, false]);
    expect(changes.size).toBe(0);
  });

  it('keeps what failed while an invalidation was under way', async () => {
    changes.addNames(a, ['k']);
    changes.addAll(b);
    changes.replay();
    changes.addNames(a, ['k']);
    changes.addAll(b);
    await new Promise(setImmediate);
    expect([...covered(a, 'k'), ...covered(b, 'k')]).toEqual([true, true]);
    await until('the second round', () => changes.size === 0);
  });

  it('clears a root rather than remember names without end', () => {
    const root = rootAddress('', 'global');
    for (let n = 0; n < 19_000; n++) changes.addNames(root, [`n${n}`]);
    expect(covered(root, 'n1', 'other')).toEqual([true, false]);
    for (let n = 0; n < 1_000; n++) changes.addNames(root, [`m${n}`]);
    expect(covered(root, 'other')).toEqual([true]);
    changes.addNames(a, ['k']);
    expect(covered(a, 'k', 'other')).toEqual([true, false]);
    expect(changes.size).toBe(2);
  });

  it('counts what it forgets, so that an outage after an outage has room again', () => {
    for (let outage = 0; outage < 5; outage++) {
      for (let n = 0; n < 15_000; n++) changes.addNames(scopedAddress('', 'session', n % 100), [`n${n}`]);
      expect(changes.size).toBe(100);
      for (let n = 0; n < 100; n++) changes.settleAll(scopedAddress('', 'session', n), changes.moment);
      expect(changes.size).toBe(0);
    }
  });
});
