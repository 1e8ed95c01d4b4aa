import { performance } from 'node:perf_hooks';
import { createBus, durable, ephemeral } from '@tierkit/bus';

// What one event costs this process, without a network: `node --import tsx packages/bus/bench/bus.bench.ts`
const EVENTS = 50_000;
const data = { id: 42, name: 'version promoted', at: 1_733_133_600_000, tags: ['a', 'b', 'c'] };

async function measure(name: string, run: () => Promise<void>): Promise<void> {
  await run();
  const start = performance.now();
  await run();
  const us = ((performance.now() - start) * 1_000) / EVENTS;
  process.stdout.write(`${name.padEnd(40)} ${us.toFixed(2)} us an event\n`);
}

const bus = createBus({ news: ephemeral<typeof data>(), orders: durable<typeof data>() }, { redis: 'memory' });
await measure('publish and handle, ephemeral', async () => {
  let heard = 0;
  const off = bus.on('news', () => void heard++, { maxQueue: EVENTS });
  await off.ready;
  for (let i = 0; i < EVENTS; i++) await bus.publish('news', data);
  off();
});
await measure('publish and iterate, ephemeral', async () => {
  const events = bus.subscribe('news', { maxQueue: EVENTS });
  await events.ready;
  for (let i = 0; i < EVENTS; i++) await bus.publish('news', data);
  for (let i = 0; i < EVENTS; i++) await events.next();
  events.close();
});
await bus.close();
