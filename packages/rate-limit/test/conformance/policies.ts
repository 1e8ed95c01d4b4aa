import { expect, it } from 'vitest';
import { fixedWindow, gcra, slidingWindow } from '../../src/index.ts';
import { both } from './both.ts';
import type { LimiterWorld } from './world.ts';

/** Of several policies, shadow mode and lists. */
export function policyConformance(world: LimiterWorld): void {
  it('several policies: what one denies, none counts', async () => {
    const limiter = await world.make([
      fixedWindow({ limit: 100, per: '1h', name: 'long' }),
      slidingWindow({ limit: 3, per: '1h', name: 'short' }),
      slidingWindow({ limit: 50, per: '1h', exact: true, name: 'exact' }),
      gcra({ limit: 80, per: '1h' }),
    ]);
    for (let i = 0; i < 3; i++) expect(await limiter.consume('ann')).toMatchObject({ allowed: true });
    for (let i = 0; i < 5; i++) expect(await limiter.consume('ann')).toMatchObject({ allowed: false, policy: 'short' });
    const { policies } = await limiter.peek('ann');
    expect(policies.map(({ name, remaining }) => [name, remaining])).toEqual([
      ['long', 97],
      ['short', 0],
      ['exact', 47],
      ['gcra', 77],
    ]);
  });

  it('several policies: the one with the least left decides, of those that deny the one that does so for longer', async () => {
    const limiter = await world.make(both());
    expect(await limiter.consume('ann', { cost: 2 })).toMatchObject({ allowed: true, policy: 'burst', remaining: 1 });
    expect(await limiter.consume('ann', { cost: 2 })).toMatchObject({ allowed: false, policy: 'burst' });
    await world.pass(1_150);
    expect(await limiter.consume('ann', { cost: 3 })).toMatchObject({ allowed: true });
    const denied = await limiter.consume('ann');
    expect(denied).toMatchObject({ allowed: false, policy: 'hourly', limit: 5 });
    expect(denied.retryAfterMs).toBeGreaterThan(600_000);
    expect(denied.policies.map(({ retryAfterMs }) => retryAfterMs > 0)).toEqual([true, true]);
  });

  it('in shadow mode nothing is denied, and what would have been says so', async () => {
    const limiter = await world.make(both(), { shadow: true });
    expect(await limiter.consume('ann', { cost: 3 })).toMatchObject({ allowed: true, shadowed: false });
    const shadowed = await limiter.consume('ann');
    expect(shadowed).toMatchObject({ allowed: true, shadowed: true, policy: 'burst' });
    expect(shadowed.retryAfterMs).toBeGreaterThan(0);
    expect(shadowed.policies[1]).toMatchObject({ name: 'hourly', remaining: 2 });
  });

  it('subjects of the lists are not counted', async () => {
    const limiter = await world.make(both(), {
      allow: ['root', 'both'],
      deny: (subject) => /^(bad|both)$/.test(subject),
    });
    for (let i = 0; i < 10; i++)
      expect(await limiter.consume('root')).toMatchObject({ allowed: true, source: 'list', remaining: Infinity });
    expect(await limiter.consume('bad')).toMatchObject({ allowed: false, source: 'list', retryAfterMs: Infinity });
    expect(await limiter.peek('both')).toMatchObject({ allowed: false, source: 'list' });
    expect(await limiter.consume('ann')).toMatchObject({ allowed: true, remaining: 2 });
  });

  it.each(['a b', 'ü:{x}*?', '%', 'x'.repeat(5_000), '../..', 'a\u0000b'])(
    'takes %o for a subject',
    async (subject) => {
      const limiter = await world.make(both());
      expect(await limiter.consume(subject, { id: subject })).toMatchObject({ allowed: true, remaining: 2 });
      expect(await limiter.consume(`${subject}!`)).toMatchObject({ allowed: true, remaining: 2 });
    },
  );
}
