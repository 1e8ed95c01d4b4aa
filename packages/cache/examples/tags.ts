import { createTiers } from '@tierkit/cache';

const redis = process.env['REDIS_URL'] ?? 'memory';
const tiers = createTiers({ redis, prefix: 'example:tags:', cascade: { 'org:1': ['user:42'] } });
await tiers.ready();
const [one, two] = [tiers.project('one'), tiers.project('two')];

for (const project of [one, two]) {
  await project.set('profile', { name: 'Ann' }, { tags: ['user:42'] });
  await project.getOrSet('report', () => ({ pages: 3 }), { tags: ['user:42', 'reports'] });
}

// One project's reports, however many there are.
await one.invalidateTags(['reports']);
console.log('one:', await one.getMany(['profile', 'report']));
console.log('two:', await two.getMany(['profile', 'report']));

// Everywhere, with what the tag implies.
await tiers.invalidateTags(['org:1']);
console.log('one:', await one.getMany(['profile', 'report']));
console.log('two:', await two.getMany(['profile', 'report']));

// A load that began before does not come after.
const loading = two.getOrSet('report', () => new Promise((resolve) => setTimeout(resolve, 50, 'older')), {
  tags: ['reports'],
});
await new Promise((resolve) => setTimeout(resolve, 20));
await two.invalidateTags(['reports']);
console.log('its caller gets', await loading, 'and the next one', await two.get('report'));

await tiers.close();
