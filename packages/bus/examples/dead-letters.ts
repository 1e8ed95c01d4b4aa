import { createBus, durable } from '@tierkit/bus';

const redis = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const bus = createBus({ orders: durable<{ id: number }>() }, { redis, prefix: `example:${process.pid}:` });
await bus.ready();

let mailServer = 'down';
const finished = new Set<number>();
const options = { group: 'mailer', maxAttempts: 2, backoff: '50ms' } as const;
const consumer = bus.consume('orders', options, ({ data }, { attempt }) => {
  if (data.id === 2 && mailServer === 'down') throw new Error(`no mail server, attempt ${attempt}`);
  finished.add(data.id);
});
await consumer.ready;
for (const id of [1, 2, 3]) await bus.publish('orders', { id });

const letters = bus.deadLetters('orders', { group: 'mailer' });
while ((await letters.list()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
const [letter] = await letters.list();
console.log('given up:', letter?.event?.data, 'after', letter?.attempts, 'attempts:', letter?.reason);

mailServer = 'up';
console.log('replayed:', await letters.replay());
while (finished.size < 3) await new Promise((resolve) => setTimeout(resolve, 20));
console.log('finished:', [...finished].join(', '));
await bus.close();
