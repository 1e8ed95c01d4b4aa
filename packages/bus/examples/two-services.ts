import { createBus, durable, ephemeral } from '@tierkit/bus';

const channels = {
  'events:version_promoted': durable<{ versionId: string }>(),
  'notifications:user:{id}': ephemeral<{ text: string }>(),
};
const redis = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const prefix = `example:${process.pid}:`;
const deployer = createBus(channels, { redis, prefix, source: 'deployer' });
const web = createBus(channels, { redis, prefix, source: 'web' });
await Promise.all([deployer.ready(), web.ready()]);

// Everything for one user, and all events, in one loop.
const events = web.subscribe(['events:*', 'notifications:user:42']);
await events.ready;

await deployer.publish('events:version_promoted', { versionId: 'v123' });
const { value: promoted } = await events.next();
console.log('heard', promoted?.type, promoted?.data);

await deployer.publish('notifications:user:{id}', { text: 'v123 is live' }, { params: { id: '42' } });
const { value: notified } = await events.next();
console.log('heard', notified?.channel, notified?.data);

// Who comes later reads what was kept.
const late = web.subscribe('events:version_promoted', { from: 'start' });
console.log('replayed', (await late.next()).value?.data);

await Promise.all([deployer.close(), web.close()]);
