import { createBus, durable, ephemeral, fed } from '../../src/index.ts';

// Uses a bus for everything, closes it or not, and has nothing else to do: says what it did as the process ends.
const [url = '', prefix = '', how = ''] = process.argv.slice(2);
const channels = {
  news: ephemeral<number>(),
  'user:{id}': ephemeral<number>(),
  orders: durable<number>(),
  'system:local': fed<number>(() => () => undefined),
};
const bus = createBus(channels, { redis: url === 'memory' ? 'memory' : url, prefix });
await bus.ready();
const heard: unknown[] = [];
const subscription = bus.subscribe(['news', 'user:*', 'system:*']);
const off = bus.on('orders', ({ data }) => void heard.push(data));
const consumer = bus.consume('orders', { group: 'g' }, ({ data }) => void heard.push(data));
await Promise.all([subscription.ready, off.ready, consumer.ready]);
const waiting = bus.once('user:1', { timeout: '1h' }).then(
  () => 'heard',
  (error: { code?: string }) => String(error.code),
);
await bus.publish('news', 1);
await bus.publish('orders', 2);
heard.push((await subscription.next()).value?.data);
while (heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
process.on('exit', () => process.stdout.write('ended'));
if (how === 'close') {
  await bus.close();
  process.stdout.write(`closed ${await waiting} `);
}
