import { expectTypeOf, test } from 'vitest';
import * as z from 'zod';
import { createBus, durable, ephemeral, fed } from '../src/index.ts';

const bus = createBus(
  {
    'events:promoted': durable(z.object({ at: z.string().transform(Number) })),
    'events:other': ephemeral<number>(),
    'notifications:user:{id}': ephemeral<{ text: string }>(),
    'system:local': fed<boolean>(() => () => undefined),
  },
  { redis: 'memory' },
);

test('what is published has the type of its channel', () => {
  void bus.publish('events:promoted', { at: '5' });
  void bus.publish('notifications:user:42', { text: 'x' });
  void bus.publish('notifications:user:{id}', { text: 'x' }, { params: { id: 42 } });
  // @ts-expect-error the schema's input is text
  void bus.publish('events:promoted', { at: 5 });
  // @ts-expect-error there is no such channel
  void bus.publish('events:none', 5);
  // @ts-expect-error the parameter is missing
  void bus.publish('notifications:user:{id}', { text: 'x' });
  // @ts-expect-error nobody may publish what is fed
  void bus.publish('system:local', true);
});

test('events have the type of what a name or pattern means', async () => {
  for await (const event of bus.subscribe('events:*')) {
    expectTypeOf(event.type).toEqualTypeOf<'events:promoted' | 'events:other'>();
    if (event.type === 'events:promoted') expectTypeOf(event.data).toEqualTypeOf<{ at: number }>();
    else expectTypeOf(event.data).toEqualTypeOf<number>();
  }
  bus.on(['notifications:user:7', 'system:*'], (event) => {
    if (event.type === 'system:local') return expectTypeOf(event.data).toEqualTypeOf<boolean>();
    expectTypeOf(event.params).toEqualTypeOf<{ readonly id: string }>();
    return expectTypeOf(event.channel).toEqualTypeOf<`notifications:user:${string}`>();
  });
  expectTypeOf((await bus.once('events:other')).data).toEqualTypeOf<number>();
  bus.consume('events:*', { group: 'g' }, (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'events:promoted'>();
  });
  // @ts-expect-error it is not durable
  void bus.lag('events:other', 'g');
});

test('names and patterns that mean nothing are errors', () => {
  // @ts-expect-error there is no such channel
  bus.subscribe('events:none');
  // @ts-expect-error no channel begins with it
  bus.on('event:*', () => undefined);
  // @ts-expect-error one of the list is none
  bus.subscribe(['events:*', 'nothing']);
  // @ts-expect-error it lacks a segment
  void bus.once('notifications:user');
  // @ts-expect-error it is not durable
  bus.consume('events:other', { group: 'g' }, () => undefined);
  // A name that is not known before the program runs is checked then.
  const name: string = 'x'.repeat(3);
  expectTypeOf(bus.subscribe(name).next).returns.resolves.not.toBeNever();
  bus.subscribe(['events:*', name]);
  const several = ['events:promoted', 'system:local'] as const;
  bus.on(several, ({ type }) => expectTypeOf(type).toEqualTypeOf<'events:promoted' | 'system:local'>());
});
