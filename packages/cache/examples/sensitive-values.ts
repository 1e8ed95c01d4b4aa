import { randomBytes } from 'node:crypto';
import { createTiers } from '@tierkit/cache';
import { Redis } from 'ioredis';

const url = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const prefix = `example${randomBytes(4).toString('hex')}:`;
const [march, april] = [randomBytes(32), randomBytes(32)];
const policy = { redis: url, prefix, compression: {}, tiers: { session: { ttl: '1m', sensitive: true } } };

const before = createTiers({ ...policy, encryption: { keys: { march }, current: 'march' } });
await before.ready();
await before.session('s').set('token', 'my secret');
await before.project('p').set('log', 'the same line\n'.repeat(1_000));

const raw = new Redis(url);
const stored = await raw.getBuffer(`${prefix}session:{s}:token`);
console.log('readable in Redis:', stored?.includes('my secret'));
console.log('the log takes less than 200 bytes:', (await raw.strlen(`${prefix}project:{p}:log`)) < 200);

// Rotation: the new key encrypts, the old one still decrypts.
const after = createTiers({ ...policy, encryption: { keys: { march, april }, current: 'april' } });
await after.ready();
console.log('after the rotation:', await after.session('s').get('token'));

try {
  createTiers(policy);
} catch (error) {
  console.log('without keys:', error instanceof Error && 'code' in error ? error.code : error);
}
await after.session('s').clear();
await after.project('p').clear();
await Promise.all([before.close(), after.close()]);
raw.disconnect();
