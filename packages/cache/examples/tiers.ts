import { createTiers } from '@tierkit/cache';

const tiers = createTiers({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example:' });
await tiers.ready();

const session = tiers.session('abc123');
await session.set('current_file', { path: 'src/a.ts', line: 12 });
console.log('session:', await session.get('current_file'));

const project = tiers.project('proj456');
const load = async (): Promise<string[]> => {
  console.log('loading the file tree');
  return ['src/a.ts', 'src/b.ts'];
};
await Promise.all([project.getOrSet('file_tree', load), project.getOrSet('file_tree', load)]);

await tiers.global.setMany([
  ['model:gpt-4:1', 'one'],
  ['model:gpt-4:2', 'two'],
]);
console.log('would delete:', await tiers.global.deleteByPattern('model:gpt-4:*', { dryRun: true }));
console.log('deleted:', await tiers.global.deleteByPattern('model:gpt-4:*'));

await session.clear();
await project.clear();
console.log('after clear:', await session.get('current_file'));
await tiers.close();
