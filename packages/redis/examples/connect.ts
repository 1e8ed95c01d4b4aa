import { createRedis } from '@tierkit/redis';

const redis = createRedis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
redis.onStateChange((state) => process.stdout.write(`Redis is ${state}\n`));

await redis.ready('2s');
await redis.execute((client) => client.set('example:greeting', 'hello', 'EX', 60));
const greeting = await redis.execute((client) => client.get('example:greeting'));
process.stdout.write(`${greeting}, breaker ${redis.breaker.state}\n`);

await redis.close();
