import { createTiers } from '@tierkit/cache';

const tiers = createTiers({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: 'example:' });
await tiers.ready();
const project = tiers.project('proj456');
await project.clear();

// What is missing is loaded in one call. A key that fails does not fail the others.
await project.set('size:a.ts', 120);
const sizes = await project.getOrSetMany(['size:a.ts', 'size:b.ts', 'size:c.ts'], (missing) => {
  console.log('loading', missing);
  return new Map<string, number | Error>([
    ['size:b.ts', 80],
    ['size:c.ts', new Error('cannot read c.ts')],
  ]);
});
console.log(sizes.map((size) => (size instanceof Error ? size.message : size)));

// The same code is analysed once, whatever its line ends.
const analyses = project.content('analysis', { language: 'ts', version: 3 });
const analyse = (code: string) => (): { lines: number } => {
  console.log('analysing');
  return { lines: code.split('\n').length };
};
console.log(await analyses.getOrSet('let a;\nlet b;', analyse('let a;\nlet b;')));
console.log(await analyses.getOrSet('let a; \r\nlet b;', analyse('let a; \r\nlet b;')));

// The source first, then the cache.
const database = new Map<string, string[]>();
const written = await project.writeThrough('file_tree', ['a.ts'], (tree) => void database.set('proj456', tree));
console.log(written, await project.get('file_tree'));
await tiers.close();
