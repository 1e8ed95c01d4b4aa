import { expectTypeOf, test } from 'vitest';
import { defineScript, type RedisConnection } from '../src/index.ts';

declare const redis: RedisConnection;

test('the signature of run follows from the definition', () => {
  const script = defineScript({
    name: 'typed',
    keys: ['entry', '...others'],
    args: { ttlMs: 'integer', payload: 'bytes', flag: 'boolean', tags: 'strings' },
    reply: (raw) => raw === 1,
    lua: 'return 1',
  });
  expectTypeOf<(typeof script)['run']>()
    .parameter(1)
    .toEqualTypeOf<{ readonly entry: string } & { readonly others: readonly string[] }>();
  expectTypeOf<(typeof script)['run']>().parameter(2).toEqualTypeOf<{
    readonly ttlMs: number;
    readonly payload: Buffer;
    readonly flag: boolean;
    readonly tags: readonly string[];
  }>();
  expectTypeOf<(typeof script)['run']>().returns.toEqualTypeOf<Promise<boolean>>();
});

test('wrong keys, arguments and types do not compile', () => {
  const script = defineScript({ name: 's', keys: ['key'], args: { n: 'integer' }, reply: String, lua: 'return n' });
  // @ts-expect-error no such key
  void script.run(redis, { kye: 'a' }, { n: 1 });
  // @ts-expect-error the argument is missing
  void script.run(redis, { key: 'a' }, {});
  // @ts-expect-error an integer is a number
  void script.run(redis, { key: 'a' }, { n: '1' });
  // @ts-expect-error no such type
  defineScript({ name: 's', keys: [], args: { n: 'float' }, reply: String, lua: '' });
});
