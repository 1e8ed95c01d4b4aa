import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers } from '../src/index.ts';
import { Level1Tags } from '../src/level1/level1-tags.ts';
import { TagTable } from '../src/tags/tag-table.ts';
import { TagTables } from '../src/tags/tag-tables.ts';

/** Invalidations reach the other instance within this, on a busy machine as well. */
const NEWS_MS = 250;

const instances: Tiers[] = [];

beforeAll(async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  for (const l1 of [undefined, undefined, false as const]) {
    instances.push(
      createTiers({
        redis: sharedRedis(),
        prefix,
        feedTimeout: '15s',
        ...(l1 === undefined ? {} : { l1 }),
      }),
    );
  }
  await Promise.all(instances.map((tiers) => tiers.ready()));
});
afterAll(() => Promise.all(instances.map((tiers) => tiers.close())));

const step = fc.record({
  instance: fc.nat({ max: 2 }),
  kind: fc.constantFrom('set', 'load', 'load', 'scope', 'everywhere', 'get', 'get', 'getMany'),
  tag: fc.constantFrom('a', 'b'),
  global: fc.boolean(),
  startMs: fc.nat({ max: 20 }),
  lastsMs: fc.nat({ max: 40 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Value {
  readonly tag: string;
  readonly number: number;
}

let rounds = 0;

/** Runs the steps side by side. @returns what was served although an invalidation of its tag had begun after it was made */
async function staleIn(steps: readonly Step[]): Promise<string[]> {
  const id = `r${rounds++}`;
  const stale: string[] = [];
  /** From when on an invalidation ends a value: the beginning of its load, or the end of its set. */
  const born: number[] = [];
  const invalidated: { tag: string; instance: number; global: boolean | undefined; startMs: number; endMs: number }[] =
    [];
  const scopeOf = (instance: number, global: boolean) => {
    const tiers = instances[instance];
    if (tiers === undefined) throw new Error('no instance');
    return global ? tiers.global : tiers.session(id);
  };
  const check = (value: Value | undefined, instance: number, global: boolean, startMs: number, where: string): void => {
    if (value === undefined) return;
    const outdated = invalidated.find(
      (one) =>
        one.tag === value.tag &&
        (one.global ?? global) === global &&
        (born[value.number] ?? Infinity) < one.startMs &&
        one.endMs + (one.instance === instance ? 0 : NEWS_MS) < startMs,
    );
    if (outdated !== undefined)
      stale.push(`${where}: ${JSON.stringify({ value, instance, global, startMs, outdated })}`);
  };
  const act = async ({ instance, kind, tag, global, startMs: delayMs, lastsMs }: Step): Promise<void> => {
    await sleep(delayMs);
    const scope = scopeOf(instance, global);
    const startMs = performance.now();
    const tags = [`${id} ${tag}`];
    if (kind === 'set') {
      const number = born.push(Infinity) - 1;
      await scope.set(id, { tag, number }, { tags });
      born[number] = performance.now();
    } else if (kind === 'get') check(await scope.get<Value>(id), instance, global, startMs, 'get');
    else if (kind === 'getMany') check((await scope.getMany<Value>([id]))[0], instance, global, startMs, 'getMany');
    else if (kind === 'load') {
      const load = async (): Promise<Value> => {
        const number = born.push(performance.now()) - 1;
        await sleep(lastsMs);
        return { tag, number };
      };
      check(await scope.getOrSet<Value>(id, load, { tags }), instance, global, startMs, 'load');
    } else {
      const everywhere = kind === 'everywhere';
      expect(await (everywhere ? instances[instance] : scope)?.invalidateTags(tags)).toBe(true);
      invalidated.push({ tag, instance, global: everywhere ? undefined : global, startMs, endMs: performance.now() });
    }
  };
  await Promise.all(steps.map(act));
  await sleep(NEWS_MS + 1);
  for (const instance of instances.keys()) {
    for (const global of [false, true]) {
      const startMs = performance.now();
      check(await scopeOf(instance, global).get<Value>(id), instance, global, startMs, 'at rest');
    }
  }
  return stale;
}

const schedules = fc.array(fc.array(step, { minLength: 3, maxLength: 14 }), { minLength: 20, maxLength: 20 });

it('serves nothing that is older than an invalidation of its tag, in random schedules on three instances', async () => {
  const runs = fc.asyncProperty(schedules, async (all) => {
    expect((await Promise.all(all.map(staleIn))).flat()).toEqual([]);
  });
  await fc.assert(runs, { numRuns: Number(process.env['TAG_SCHEDULES'] ?? 8), endOnFailure: true });
});

/** Mechanisms, and how to switch each off; each returns how to switch it on again. */
const sabotages: Record<string, () => () => void> = {
  'that an entry of the first level looks at its tags': () => {
    return getterOff(Level1Tags.prototype, 'current', true);
  },
  'that a known table hears the news': () => {
    const { moved } = TagTable.prototype;
    TagTable.prototype.moved = () => {};
    return () => (TagTable.prototype.moved = moved);
  },
  'that a load is stamped as of its beginning': () => {
    const { stampLoaded, stamp } = TagTables.prototype;
    TagTables.prototype.stampLoaded = function (address, names, _started, ttlMs) {
      return stamp.call(this, address, names, ttlMs);
    };
    return () => (TagTables.prototype.stampLoaded = stampLoaded);
  },
};

function getterOff(prototype: object, name: string, value: unknown): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (descriptor === undefined) throw new Error(`no ${name}`);
  Object.defineProperty(prototype, name, { get: () => value, configurable: true });
  return () => Object.defineProperty(prototype, name, descriptor);
}

it.each(Object.entries(sabotages))('notices when it is switched off %s', async (_, disable) => {
  const enable = disable();
  try {
    let found = 0;
    // In one draw: with the seed that is set for all tests, each draw gives the same.
    for (const all of fc.sample(schedules, 60)) {
      found = (await Promise.all(all.map(staleIn))).flat().length;
      if (found > 0) break;
    }
    expect(found).toBeGreaterThan(0);
  } finally {
    enable();
  }
});
