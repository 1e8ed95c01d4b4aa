import { encodeKey, type Key } from '@tierkit/core';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Scope, Tiers } from '../../src/index.ts';
import type { ScopeModel, Span } from './cache-model.ts';

/** Tags that are invalidated along with a tag. */
export const CASCADE: Readonly<Record<string, readonly string[]>> = { red: ['blue'] };

/** What the model has of each of the scopes. */
export type Model = readonly ScopeModel[];

/** What is tested against the model. */
export interface Real {
  readonly instances: readonly Tiers[];
  /** One for each of the model's, on an instance. */
  scope(instance: number, index: number): Scope;
  nowMs(): number;
  wait(ms: number): Promise<void>;
  /** Resolves once all instances have heard what this one did. */
  heard(instance: number): Promise<void>;
}

interface Place {
  readonly instance: number;
  readonly scope: number;
}

/** One call, with what it works on. */
interface Call {
  readonly model: ScopeModel;
  readonly scope: Scope;
  readonly all: Model;
  readonly tiers: Tiers;
  readonly real: Real;
  /** Runs the call. @returns what it resolved to, and when it ran */
  time<T>(call: Promise<T>): Promise<[T, Span]>;
}

// A plain key, one with segments, one that needs escapes, and one whose text is another one's encoding.
const KEYS: readonly Key[] = ['a', 'b:c', ['b', '{*}'], 'a%3A', 'ä?'];
const key = fc.constantFrom(...KEYS);
const someKeys = fc.uniqueArray(key, { selector: encodeKey });
const value = fc.oneof(
  fc.integer(),
  fc.constantFrom(null, '', false, -0),
  fc.record({ a: fc.string(), b: fc.date({ noInvalidDate: true }) }),
);
const tags = fc.subarray(['red', 'blue', 'green']);
const ttlMs = fc.constantFrom(40, 60_000, 60_000);
const pattern = fc.constantFrom('*', 'a*', '?', 'b:*', 'none');
const none = fc.constant({});

class Step<A> implements fc.AsyncCommand<Model, Real> {
  readonly #what: string;
  readonly #place: Place;
  readonly #args: A;
  readonly #act: (call: Call, args: A) => Promise<void>;

  constructor(what: string, place: Place, args: A, act: (call: Call, args: A) => Promise<void>) {
    this.#what = what;
    this.#place = place;
    this.#args = args;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(all: Model, real: Real): Promise<void> {
    const { instance, scope } = this.#place;
    const model = all[scope];
    const tiers = real.instances[instance];
    if (model === undefined || tiers === undefined) throw new Error('no such place');
    const time = async <T>(call: Promise<T>): Promise<[T, Span]> => {
      const startMs = real.nowMs();
      const result = await call;
      return [result, { startMs, endMs: real.nowMs() }];
    };
    await this.#act({ model, scope: real.scope(instance, scope), all, tiers, real, time }, this.#args);
    await real.heard(instance);
    checkPeeks(all, real);
  }

  toString(): string {
    const { instance, scope } = this.#place;
    return `${this.#what}@${instance}.${scope}(${fc.stringify(this.#args)})`;
  }
}

/** Nothing in process may be older than the model, on any instance. */
function checkPeeks(all: Model, real: Real): void {
  for (const instance of real.instances.keys()) {
    for (const [index, model] of all.entries()) {
      for (const one of KEYS) {
        const startMs = real.nowMs();
        const found = real.scope(instance, index).peek(one);
        if (found !== undefined) expectFound(model, one, found, { startMs, endMs: real.nowMs() });
      }
    }
  }
}

function expectFound(model: ScopeModel, one: Key, found: unknown, span: Span): void {
  const presence = model.presence(one, span);
  if (presence === 'gone' || (presence === 'unsure' && found === undefined)) expect(found).toBeUndefined();
  else expect(found).toEqual(model.get(one)?.value);
}

/** All commands, each at any of the instances and scopes. */
export function steps(instances: number, scopes: number): fc.Arbitrary<fc.AsyncCommand<Model, Real>>[] {
  const place = fc.record({ instance: fc.nat(instances - 1), scope: fc.nat(scopes - 1) });
  const step = <A>(what: string, args: fc.Arbitrary<A>, act: (call: Call, args: A) => Promise<void>) =>
    fc.tuple(place, args).map(([at, given]) => new Step(what, at, given, act));

  const set = step('set', fc.record({ key, value, ttlMs, tags }), async ({ model, scope, time }, args) => {
    const [stored, span] = await time(scope.set(args.key, args.value, { ttl: args.ttlMs, tags: args.tags }));
    expect(stored).toBe(true);
    model.set(args.key, args.value, args.ttlMs, args.tags, span);
  });
  const get = step('get', key, async ({ model, scope, time }, one) => {
    const [found, span] = await time(scope.get(one));
    expectFound(model, one, found, span);
  });
  return [
    set,
    get,
    set,
    get,
    step('getOrSet', fc.record({ key, value: fc.option(value, { nil: undefined }), ttlMs, tags }), getOrSet),
    step('getMany', someKeys, async ({ model, scope, time }, keys) => {
      const [found, span] = await time(scope.getMany(keys));
      expect(found).toHaveLength(keys.length);
      for (const [index, one] of keys.entries()) expectFound(model, one, found[index], span);
    }),
    step('setMany', fc.record({ keys: someKeys, value, ttlMs, tags }), async ({ model, scope, time }, args) => {
      const entries = args.keys.map((one, index) => [one, [index, args.value]] as const);
      const [stored, span] = await time(scope.setMany(entries, { ttl: args.ttlMs, tags: args.tags }));
      expect(stored).toBe(true);
      for (const [one, stored_] of entries) model.set(one, stored_, args.ttlMs, args.tags, span);
    }),
    step('delete', key, async ({ model, scope }, one) => {
      expect(await scope.delete(one)).toBe(true);
      model.delete(one);
    }),
    step('deleteMany', someKeys, async ({ model, scope }, keys) => {
      expect(await scope.deleteMany(keys)).toBe(true);
      for (const one of keys) model.delete(one);
    }),
    step('clear', none, async ({ model, scope }) => {
      expect(await scope.clear()).toBe(true);
      model.clear();
    }),
    step('deleteByPattern', fc.record({ pattern, dryRun: fc.boolean() }), async ({ model, scope, time }, args) => {
      const [{ deleted, confirmed }, span] = await time(scope.deleteByPattern(args.pattern, { dryRun: args.dryRun }));
      expect(confirmed).toBe(true);
      expect(deleted).toBeGreaterThanOrEqual(model.matching(args.pattern, span).size);
      expect(deleted).toBeLessThanOrEqual(model.matching(args.pattern, span, true).size);
      if (!args.dryRun) model.deleteMatching(args.pattern);
    }),
    step('invalidateTags', fc.record({ tags, everywhere: fc.boolean() }), async (call, args) => {
      expect(await (args.everywhere ? call.tiers : call.scope).invalidateTags(args.tags)).toBe(true);
      const ended = args.tags.flatMap((tag) => [tag, ...(CASCADE[tag] ?? [])]);
      for (const model of args.everywhere ? call.all : [call.model]) model.invalidateTags(ended);
    }),
    step('has', key, async ({ model, scope, time }, one) => {
      const [found, span] = await time(scope.has(one));
      const presence = model.presence(one, span);
      if (presence !== 'unsure') expect(found).toBe(presence === 'there');
    }),
    step('ttl', key, async ({ model, scope, time }, one) => {
      const [leftMs, span] = await time(scope.ttl(one));
      const presence = model.presence(one, span);
      const held = model.get(one);
      if (presence === 'gone') expect(leftMs).toBeUndefined();
      if (presence !== 'there' || held === undefined) return;
      expect(leftMs).toBeGreaterThanOrEqual(Math.floor(held.endsFromMs - span.endMs));
      expect(leftMs).toBeLessThanOrEqual(held.endsUntilMs - span.startMs);
    }),
    step('keys', pattern, async ({ model, scope, time }, one) => {
      const [found, span] = await time(namesOf(scope, one));
      const possible = model.matching(one, span, true);
      for (const name of found) expect([...possible]).toContain(name);
      for (const name of model.matching(one, span)) expect(found).toContain(name);
    }),
    step('wait', fc.constantFrom(10, 60), async ({ real }, ms) => real.wait(ms)),
  ];
}

async function namesOf(scope: Scope, matching: string): Promise<string[]> {
  const names: string[] = [];
  for await (const found of scope.keys(matching)) names.push(encodeKey(found));
  return names;
}

async function getOrSet(
  { model, scope, time }: Call,
  args: { key: Key; value: unknown; ttlMs: number; tags: readonly string[] },
): Promise<void> {
  let loads = 0;
  const load = (): unknown => {
    loads++;
    return args.value;
  };
  const [got, span] = await time(scope.getOrSet<unknown>(args.key, load, { ttl: args.ttlMs, tags: args.tags }));
  const presence = model.presence(args.key, span);
  if (presence !== 'unsure') expect(loads).toBe(presence === 'there' ? 0 : 1);
  expect(got).toEqual(loads === 1 ? args.value : model.get(args.key)?.value);
  if (loads === 1 && args.value !== undefined) model.set(args.key, args.value, args.ttlMs, args.tags, span);
}
