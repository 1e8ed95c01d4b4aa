import { checkHealth, createRedis } from '@tierkit/redis';
import { TierkitError } from '@tierkit/core';

// Nobody listens there: the service starts all the same, and every call says so at once.
const redis = createRedis({ host: '127.0.0.1', port: 1, breaker: { failures: 3 } });

for (let call = 1; call <= 4; call++) {
  const started = performance.now();
  try {
    await redis.execute((client) => client.get('key'));
  } catch (error) {
    if (!(error instanceof TierkitError)) throw error;
    const quick = performance.now() - started < 50 ? 'at once' : 'late';
    process.stdout.write(
      `call ${call}: ${error.code} ${quick}, applied: ${String(error.details['applied'])}, ${redis.breaker.state}\n`,
    );
  }
}
const { status, error } = await checkHealth(redis);
process.stdout.write(`health: ${status} (${error})\n`);

await redis.close();
