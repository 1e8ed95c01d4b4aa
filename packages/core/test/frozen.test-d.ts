import { expectTypeOf, test } from 'vitest';
import { copyValue, type Frozen } from '@tierkit/core';

interface Tree {
  name: string;
  children?: Tree[];
  pair: [number, { x: number }];
  seen: Date;
  bytes: Buffer;
  index: Map<string, { n: number }>;
  tags: Set<string[]>;
  size: () => number;
  nothing: null;
}

test('objects and arrays are readonly at every level', () => {
  const tree = {} as Frozen<Tree>;
  expectTypeOf(tree.name).toEqualTypeOf<string>();
  expectTypeOf(tree.pair).toEqualTypeOf<readonly [number, { readonly x: number }]>();
  expectTypeOf(tree.children).toEqualTypeOf<readonly Frozen<Tree>[] | undefined>();
  // @ts-expect-error a frozen property
  tree.name = 'x';
  // @ts-expect-error a frozen tuple
  tree.pair[1] = { x: 1 };
  // @ts-expect-error a frozen item
  tree.pair[1].x = 1;
  // @ts-expect-error a frozen array
  tree.children?.push(tree);
});

test('what cannot be frozen keeps its type; Map and Set show no methods that change them', () => {
  const tree = {} as Frozen<Tree>;
  expectTypeOf(tree.seen).toEqualTypeOf<Date>();
  expectTypeOf(tree.bytes).toEqualTypeOf<Buffer>();
  expectTypeOf(tree.size).toEqualTypeOf<() => number>();
  expectTypeOf(tree.nothing).toEqualTypeOf<null>();
  expectTypeOf(tree.index).toEqualTypeOf<ReadonlyMap<string, { readonly n: number }>>();
  expectTypeOf(tree.tags).toEqualTypeOf<ReadonlySet<readonly string[]>>();
});

test('scalars, unions, unknown and any pass through', () => {
  expectTypeOf<Frozen<string>>().toEqualTypeOf<string>();
  expectTypeOf<Frozen<'a' | 1 | undefined>>().toEqualTypeOf<'a' | 1 | undefined>();
  expectTypeOf<Frozen<string[] | null>>().toEqualTypeOf<readonly string[] | null>();
  expectTypeOf<Frozen<unknown>>().toEqualTypeOf<unknown>();
  expectTypeOf<Frozen<any>>().toBeAny();
  expectTypeOf<Frozen<{ a?: number }>>().toEqualTypeOf<{ readonly a?: number }>();
  // A mutable value may be given where a frozen one is asked for.
  expectTypeOf<Tree>().toExtend<Frozen<Tree>>();
});

test('a copy has the type of the original', () => {
  expectTypeOf(copyValue({} as Tree)).toEqualTypeOf<Tree>();
});
