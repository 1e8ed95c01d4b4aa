import { createTiers } from '@tierkit/cache';

// Nothing listens here: what a service sees when Redis is down from the start.
const tiers = createTiers({ redis: 'redis://127.0.0.1:1' });
const session = tiers.session('abc');

console.log('set confirmed:', await session.set('k', 1));
console.log('get:', await session.get('k'));
console.log('getOrSet:', await session.getOrSet('k', () => 'from the source'));
try {
  await session.delete('k', { required: true });
} catch (error) {
  console.log('required delete:', (error as { code: string }).code);
}
await tiers.close();
