// Session, project and global tiers: REDIS_URL=redis://localhost:6379 node --import tsx examples/tiers.ts
import { createTierkit } from 'tierkit';

interface FileTree {
  readonly files: readonly string[];
}

const kit = createTierkit({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example:' });
await kit.ready();

const session = kit.session('abc123');
await session.set('current_file', 'src/index.ts');
console.log('session:', await session.get('current_file'));

let reads = 0;
const readTree = (): FileTree => {
  reads++;
  return { files: ['src/index.ts', 'src/cache.ts'] };
};
const project = kit.project('proj456');
await project.delete('file_tree');
for (let i = 0; i < 3; i++) await project.getOrSet('file_tree', readTree);
console.log('project: the tree was read', reads, 'time');

await kit.global.set('model:gpt-4:v2:greeting', { text: 'hello' }, { ttl: '2h' });
const { deleted } = await kit.global.deleteByPattern('model:gpt-4:*');
console.log('global:', deleted, 'answer of the old model deleted');

await session.clear();
console.log('after logout:', await session.get('current_file'));
await kit.close();
