import { createRedis, defineScript } from '@tierkit/redis';

const takeStock = defineScript({
  name: 'take-stock',
  keys: ['stock', '...orders'],
  args: { amount: 'integer', note: 'string' },
  reply: (left) => (left === null ? undefined : Number(left)),
  lua: `
    local left = tonumber(redis.call('GET', stock) or '0') - amount * #orders
    if left < 0 then return nil end
    for _, order in ipairs(orders) do redis.call('SET', order, note, 'EX', 60) end
    redis.call('SET', stock, left, 'EX', 60)
    return left
  `,
});

const redis = createRedis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
await redis.ready();
await redis.execute((client) => client.set('example:{shop}:stock', 5, 'EX', 60));

const keys = { stock: 'example:{shop}:stock', orders: ['example:{shop}:order:1', 'example:{shop}:order:2'] };
process.stdout.write(`left: ${await takeStock.run(redis, keys, { amount: 2, note: 'gift' })}\n`);
process.stdout.write(`left: ${await takeStock.run(redis, keys, { amount: 2, note: 'gift' })}\n`);

await redis.close();
