import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { sharedRedis } from '../../../../test/support/shared-redis.ts';
import { createTiers, type Tiers } from '../../src/index.ts';
import type { HeroTable } from './hero-table.ts';

export const heroesIn = (tiers: Tiers, entity: string, table: HeroTable) =>
  tiers.repository(table, { entity, indexes: ['language'] });
type Heroes = ReturnType<typeof heroesIn>;

/** Two instances of a service, for the tests of a file. */
export function twoInstances() {
  let instances: readonly [Tiers, Tiers];
  let count = 0;
  beforeAll(async () => {
    const options = { redis: sharedRedis(), prefix: `t${randomBytes(6).toString('hex')}:` };
    instances = [createTiers(options), createTiers(options)];
    await Promise.all(instances.map((tiers) => tiers.ready()));
  });
  afterAll(() => Promise.all(instances.map((tiers) => tiers.close())));
  return {
    get tiers() {
      return instances;
    },
    /** A repository on each, of one table. */
    repositories(table: HeroTable): readonly [Heroes, Heroes] {
      const entity = `hero${count++}`;
      return [heroesIn(instances[0], entity, table), heroesIn(instances[1], entity, table)];
    },
  };
}
