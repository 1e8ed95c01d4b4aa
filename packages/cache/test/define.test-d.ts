import type { Frozen, Key } from '@tierkit/core';
import { createCache, createTiers, type Entry, type Scope } from '@tierkit/cache';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';

declare const scope: Scope;

interface User {
  name: string;
  roles: string[];
}

test('types come from the key and the loader', () => {
  const user = scope.define({
    name: 'user',
    key: (id: number) => ['user', id],
    load: async (id): Promise<User | undefined> => {
      expectTypeOf(id).toEqualTypeOf<number>();
      return undefined;
    },
  });
  expectTypeOf(user.get).parameters.toEqualTypeOf<[id: number]>();
  expectTypeOf(user.get(1)).resolves.toEqualTypeOf<Frozen<User> | undefined>();
  expectTypeOf(user.getMany([1])).resolves.toEqualTypeOf<(Frozen<User> | undefined)[]>();
  expectTypeOf(user.peek(1)).toEqualTypeOf<Frozen<User> | undefined>();
  expectTypeOf(user.refresh(1)).resolves.toEqualTypeOf<Frozen<User> | undefined>();
  expectTypeOf(user.set).parameter(1).toEqualTypeOf<User>();
  expectTypeOf(user.invalidate).parameter(0).toEqualTypeOf<readonly number[]>();
  expectTypeOf(user.key(1)).toEqualTypeOf<Key>();
  // @ts-expect-error the id is a number
  void user.get('1');
  // @ts-expect-error no such user
  void user.set(1, { name: 'Ann' });
});

test('a loader may answer by its context', () => {
  const api = async (_id: string, _etag?: string): Promise<{ status: number; body?: User & { orgId: string } }> => ({
    status: 200,
  });
  const user = scope.define({
    name: 'user',
    ttl: '10m',
    grace: '6h',
    refreshAhead: 0.8,
    negativeTtl: '10s',
    key: (id: string) => ['user', id],
    load: async (id, ctx) => {
      expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
      const reply = await api(id, ctx.stale?.etag);
      if (reply.status === 304) return ctx.notModified();
      return reply.body ? ctx.value(reply.body, { tags: [`org:${reply.body.orgId}`], ttl: '1m' }) : ctx.absent();
    },
  });
  expectTypeOf(user.get('1')).resolves.toEqualTypeOf<Frozen<User & { orgId: string }> | undefined>();
  const schema = z.object({ name: z.string() });
  const named = scope.define({
    name: 'named',
    schema,
    key: 'named',
    load: (_, ctx) => {
      expectTypeOf(ctx.stale).toEqualTypeOf<{ readonly name: string } | undefined>();
      return ctx.stale === undefined ? ctx.value({ name: 'new' }) : ctx.notModified();
    },
  });
  expectTypeOf(named.get()).resolves.toEqualTypeOf<{ readonly name: string } | undefined>();
});

test('an entry with a fixed key takes no id', () => {
  const settings = scope.define({ name: 'settings', key: 'settings', load: () => ({ theme: 'dark' }) });
  expectTypeOf(settings.get()).resolves.toEqualTypeOf<{ readonly theme: string } | undefined>();
  expectTypeOf(settings.delete()).resolves.toEqualTypeOf<boolean>();
});

test('with a schema, what goes in and what comes out may differ', () => {
  const schema = z.object({
    name: z.string(),
    age: z.number().default(0),
    at: z.string().transform((at) => new Date(at)),
  });
  const user = scope.define({ name: 'user', schema, key: (id: string) => ['user', id] });
  expectTypeOf(user.get('1')).resolves.toEqualTypeOf<
    { readonly name: string; readonly age: number; readonly at: Date } | undefined
  >();
  expectTypeOf(user.set).parameter(1).toEqualTypeOf<{ name: string; age?: number | undefined; at: string }>();
  // @ts-expect-error the loader's value is not what the schema takes
  scope.define({ name: 'user', schema, key: (id: string) => ['user', id], load: () => ({ name: 1 }) });
});

test('any Standard Schema gives its types', () => {
  const point = scope.define({
    name: 'point',
    schema: v.object({ x: v.number(), label: v.optional(v.string(), 'none') }),
    key: (id: bigint) => `point:${id}`,
    load: (id) => ({ x: Number(id) }),
  });
  expectTypeOf(point).toExtend<
    Entry<bigint, { x: number; label?: string | undefined }, { x: number; label: string }>
  >();
});

test('a tier and a single cache define entries too', () => {
  const tiers = createTiers({ redis: 'memory' });
  const tree = tiers.project.define({
    name: 'tree',
    key: (branch: string) => ['tree', branch],
    load: async (project, branch) => {
      expectTypeOf(project).toEqualTypeOf<string | number>();
      expectTypeOf(branch).toEqualTypeOf<string>();
      return ['src'];
    },
  });
  expectTypeOf(tree('p').get('main')).resolves.toEqualTypeOf<readonly string[] | undefined>();
  const answer = createCache({ redis: 'memory' }).define({ name: 'answer', key: 'answer', load: () => 42 });
  expectTypeOf(answer.get()).resolves.toEqualTypeOf<number | undefined>();
});

test('cached keeps the arguments and freezes the result; decorators keep the method', () => {
  const tiers = createTiers({ redis: 'memory' });
  const task = tiers.cached(async (id: string, deep?: boolean) => ({ id, deep: deep ?? false }), {
    key: (id) => {
      expectTypeOf(id).toEqualTypeOf<string>();
      return ['task', id];
    },
  });
  expectTypeOf(task).parameters.toEqualTypeOf<[id: string, deep?: boolean | undefined]>();
  expectTypeOf(task('1')).resolves.toEqualTypeOf<{ readonly id: string; readonly deep: boolean }>();
  expectTypeOf(task.invalidate).parameters.toEqualTypeOf<[id: string, deep?: boolean | undefined]>();
  const update = tiers.invalidates(async (_id: string, done: boolean) => done, { keys: (id) => [['task', id]] });
  expectTypeOf(update).toEqualTypeOf<(_id: string, done: boolean) => Promise<boolean>>();
  // @ts-expect-error a key or a prefix, not both
  tiers.cached(async () => 1, { key: () => 'k', prefix: 'p' });

  class Tasks {
    @tiers.cached({ prefix: 'task' })
    async one(id: string): Promise<{ id: string }> {
      return { id };
    }

    // @ts-expect-error the method is not asynchronous
    @tiers.cached({ prefix: 'task' })
    now(): number {
      return 1;
    }
  }
  expectTypeOf(new Tasks().one).toEqualTypeOf<(id: string) => Promise<{ id: string }>>();
});

test('loadMany gives the types as load does', () => {
  const number = scope.define({
    name: 'number',
    key: (id: string) => ['number', id],
    loadMany: async (ids) => {
      expectTypeOf(ids).toEqualTypeOf<readonly string[]>();
      return ids.map((id) => (id === '' ? new Error('no id') : id.length));
    },
  });
  expectTypeOf(number.getMany(['a'])).resolves.toEqualTypeOf<(number | undefined)[]>();
});

test('a repository has the types of its source', () => {
  interface Hero {
    id: number;
    name: string;
    language: string;
  }
  const heroes = createTiers({ redis: 'memory' }).repository(
    {
      findById: async (id: number): Promise<Hero | null> => ({ id, name: 'Ann', language: 'en' }),
      findBy: async (_where: Partial<Hero>): Promise<Hero[]> => [],
      save: async (draft: Omit<Hero, 'id'>): Promise<Hero> => ({ id: 1, ...draft }),
      update: async (_id: number, _changes: Partial<Hero>): Promise<void> => {},
    },
    { entity: 'hero', indexes: ['language', { name: 'exact', fields: ['name', 'language'] }] },
  );
  expectTypeOf(heroes.findById).parameters.toEqualTypeOf<[id: number]>();
  expectTypeOf(heroes.findById(1)).resolves.toEqualTypeOf<Frozen<Hero> | undefined>();
  expectTypeOf(heroes.findBy).parameter(0).toEqualTypeOf<'language' | 'exact'>();
  expectTypeOf(heroes.findBy('exact', {})).resolves.toEqualTypeOf<readonly Frozen<Hero>[]>();
  expectTypeOf(heroes.save).parameter(0).toEqualTypeOf<Omit<Hero, 'id'>>();
  expectTypeOf(heroes.update).parameters.toEqualTypeOf<[id: number, changes: Partial<Hero>]>();
  void heroes.invalidate('by_id', 1);
  void heroes.invalidate('all');
  // @ts-expect-error there is no such index
  void heroes.findBy('name', 'Ann');
  // @ts-expect-error which one?
  void heroes.invalidate('by_id');
});
