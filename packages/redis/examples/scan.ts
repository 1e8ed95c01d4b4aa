import { createRedis, describeServer, groupByMaster, pipelineReplies, scan } from '@tierkit/redis';

const redis = createRedis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379');
await redis.ready();

// On a Cluster, a pipeline may hold the keys of one master.
const names = Array.from({ length: 100 }, (_, i) => `example:scan:${i}`);
for (const group of groupByMaster(redis, names, (name) => name)) {
  const replies = await redis.execute(async (client) => {
    const pipeline = client.pipeline();
    for (const name of group) pipeline.set(name, '', 'EX', 60);
    return pipelineReplies(await pipeline.exec());
  });
  process.stdout.write(`${replies.filter((reply) => reply === 'OK').length} written\n`);
}

const found = new Set<string>();
for await (const batch of scan(redis, { match: 'example:scan:*' })) for (const key of batch) found.add(key);
process.stdout.write(`${found.size} found\n`);

const { total } = await describeServer(redis);
process.stdout.write(`Redis ${total.version}, ${total.maxMemoryPolicy}\n`);

await redis.close();
