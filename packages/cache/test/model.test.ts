import { randomBytes } from 'node:crypto';
import { setImmediate as immediate } from 'node:timers/promises';
import { createManualClock } from '@tierkit/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Scope, type Tiers, type TiersOptions } from '../src/index.ts';
import { MemoryStore } from '../src/stores/memory-store.ts';
import { RedisStore } from '../src/stores/redis-store.ts';
import { ScopeLevel1 } from '../src/level1/scope-level1.ts';
import { ScopeRegistry } from '../src/scope-registry.ts';
import { TagTables } from '../src/tags/tag-tables.ts';
import { ScopeModel } from './support/cache-model.ts';
import { CASCADE, steps, type Model, type Real } from './support/model-steps.ts';

/** So many times as many runs, and as much time for them. */
const FACTOR = Number(process.env['MODEL_FACTOR'] ?? 1);
/** Two sessions and the global tier. */
const SCOPES = 3;

interface Subject {
  open(): Promise<{ readonly real: Real; readonly slopMs: number; close(): Promise<void> }>;
  readonly instances: number;
  readonly runs: number;
  close(): Promise<void>;
}

function scopeOf(tiers: Tiers | undefined, run: string, index: number): Scope {
  if (tiers === undefined) throw new Error('no instance');
  return index === SCOPES - 1 ? tiers.global : tiers.session(`${run}${index}`);
}

interface Outcome {
  readonly runs: number;
  readonly failure: { readonly report: string | undefined; readonly error: unknown } | undefined;
}

/** Runs sequences of commands until one does not do what the model does, or `timeMs` are over. */
async function check(subject: Subject, timeMs: number): Promise<Outcome> {
  const deadlineMs = performance.now() + timeMs;
  let runs = 0;
  const property = fc.asyncProperty(
    fc.commands(steps(subject.instances, SCOPES), { maxCommands: 40, size: 'max' }),
    async (commands) => {
      // A run that has begun ends, so that nothing goes on behind; a failure is made smaller while there is time.
      if (performance.now() > deadlineMs) return;
      runs++;
      const { real, slopMs, close } = await subject.open();
      const model: Model = Array.from({ length: SCOPES }, () => new ScopeModel(slopMs));
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands);
      } finally {
        await close();
      }
    },
  );
  const details = await fc.check(property, { numRuns: subject.runs * FACTOR });
  const failure = details.failed
    ? { report: fc.defaultReportMessage(details), error: details.errorInstance }
    : undefined;
  return { runs, failure };
}

/** Each run has a clock and a cache of its own. */
function onMemory(options: Partial<TiersOptions>): Subject {
  return {
    instances: 1,
    runs: 200,
    async open() {
      const clock = createManualClock();
      const memory = { maxEntries: 1_000 };
      const tiers = createTiers({
        redis: 'memory',
        memory,
        l1: { maxEntries: 100 },
        cascade: CASCADE,
        clock,
        ...options,
      });
      const real: Real = {
        instances: [tiers],
        scope: (_, index) => scopeOf(tiers, '', index),
        nowMs: () => clock.monotonic(),
        wait: (ms) => clock.advanceAsync(ms),
        heard: async () => {},
      };
      return { real, slopMs: 0, close: () => tiers.close() };
    },
    close: async () => {},
  };
}

/** Instances last; each run has sessions of its own and a global tier that was cleared. */
function onRedis(url: string, options: readonly Partial<TiersOptions>[]): Subject {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  // A busy machine is no fault.
  const patient = { redis: { url, commandTimeout: '5s', socketTimeout: '1m' }, feedTimeout: '30s' } as const;
  const instances = options.map((own) => createTiers({ ...patient, prefix, cascade: CASCADE, ...own }));
  let run = 0;
  let told = 0;

  const barrier = (tiers: Tiers): Scope => tiers.project('barrier');
  const holds = (tiers: Tiers): boolean => barrier(tiers).peek('told') !== undefined;

  /** News comes in order: who has heard of a last change of this instance has heard of all before it. */
  async function heard(by: number): Promise<void> {
    const others = instances.filter((_, index) => index !== by);
    const [writer] = instances.slice(by);
    if (others.length === 0 || writer === undefined) return;
    const deadlineMs = performance.now() + 10_000;
    const again = async (): Promise<void> => {
      if (performance.now() > deadlineMs) throw new Error('the instances do not hear of each other');
      await immediate();
    };
    for (const other of others) {
      for (; !holds(other); await again()) await barrier(other).getOrSet('told', () => told);
    }
    await barrier(writer).set('told', ++told);
    while (others.some(holds)) await again();
  }

  return {
    instances: instances.length,
    runs: 25,
    async open() {
      const id = `r${run++}-`;
      await Promise.all(instances.map((tiers) => tiers.ready()));
      await instances[0]?.global.clear();
      await heard(0);
      const real: Real = {
        instances,
        scope: (instance, index) => scopeOf(instances[instance], id, index),
        nowMs: () => performance.now(),
        wait: (ms) => sleep(ms),
        heard,
      };
      return { real, slopMs: 5, close: async () => {} };
    },
    async close() {
      await Promise.all(instances.map((tiers) => tiers.close()));
    },
  };
}

/** With a server of its own: `keys` and `deleteByPattern` look at all keys that are there. */
let server: StandaloneRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  memory: () => onMemory({}),
  'memory without L1': () => onMemory({ l1: false }),
  'memory with an L1 of two entries': () => onMemory({ l1: { maxEntries: 2 } }),
  Redis: () => onRedis(server.url, [{}]),
  'Redis without L1': () => onRedis(server.url, [{ l1: false }]),
  'two instances on Redis': () => onRedis(server.url, [{}, {}]),
};

describe('a cache does what a Map with a clock does', () => {
  it.each(Object.entries(SUBJECTS))('on %s', { timeout: 60_000 * FACTOR }, async (_, make) => {
    const subject = make();
    try {
      const { failure, runs } = await check(subject, 2_000 * FACTOR);
      // Whatever was tried before the time was over has to be right, and something has to be tried.
      if (failure !== undefined) throw new Error(failure.report, { cause: failure.error });
      expect(runs).toBeGreaterThan(0);
    } finally {
      await subject.close();
    }
  });
});

/** Replaces a method, @returns how to put it back */
function replace<T extends object, K extends keyof T>(target: T, name: K, made: (original: T[K]) => T[K]): () => void {
  const original = target[name];
  target[name] = made(original);
  return () => (target[name] = original);
}

/** What is broken, where, and how; each returns how to repair it. */
const SABOTAGES: readonly (readonly [what: string, on: keyof typeof SUBJECTS, disable: () => () => void])[] = [
  ['that clear clears', 'memory', () => replace(MemoryStore.prototype, 'clear', () => async () => {})],
  ['that delete deletes', 'memory', () => replace(MemoryStore.prototype, 'remove', () => async () => {})],
  ['that clear clears', 'Redis', () => replace(RedisStore.prototype, 'clear', () => async () => {})],
  ['that tags are invalidated', 'Redis', () => replace(TagTables.prototype, 'invalidate', () => async () => {})],
  [
    'that the level in process forgets what is overwritten or deleted',
    'memory',
    () => replace(ScopeLevel1.prototype, 'invalidate', () => () => {}),
  ],
  [
    'that an instance hears of the clear of another',
    'two instances on Redis',
    () =>
      replace(
        ScopeRegistry.prototype,
        'apply',
        (apply) =>
          function (this: ScopeRegistry, news, compile) {
            if (news.kind !== 'scope') apply.call(this, news, compile);
          },
      ),
  ],
  [
    'that an instance hears of tags that another invalidated',
    'two instances on Redis',
    () => replace(TagTables.prototype, 'apply', () => () => {}),
  ],
  [
    'that an instance hears of the second of two keys',
    'two instances on Redis',
    () =>
      replace(
        ScopeRegistry.prototype,
        'apply',
        (apply) =>
          function (this: ScopeRegistry, news, compile) {
            apply.call(this, news.kind === 'keys' ? { ...news, keys: news.keys.slice(0, 1) } : news, compile);
          },
      ),
  ],
];

describe('the model notices when it is switched off', () => {
  it.each(SABOTAGES)('%s, on %s', { timeout: 60_000 }, async (_, on, disable) => {
    const subject = SUBJECTS[on]?.();
    if (subject === undefined) throw new Error('no subject');
    const enable = disable();
    try {
      const { failure } = await check({ ...subject, runs: 500 }, 30_000);
      // It is the model that disagrees, rather than something that broke.
      expect(failure?.error).toMatchObject({ name: 'AssertionError' });
    } finally {
      enable();
      await subject.close();
    }
  });
});
