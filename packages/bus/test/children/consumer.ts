import { createBus, durable } from '../../src/index.ts';

// Takes what there is, begins with the first, and never ends it.
const [url = '', prefix = ''] = process.argv.slice(2);
const bus = createBus({ orders: durable<number>() }, { redis: url, prefix });
const consumer = bus.consume('orders', { group: 'g', claimAfter: 300, maxBackoff: 300 }, async ({ data }) => {
  process.send?.(data);
  await new Promise(() => setInterval(() => undefined, 1_000));
});
await consumer.ready;
process.send?.('ready');
