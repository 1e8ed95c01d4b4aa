// A kit from environment variables: node --env-file=.env --import tsx examples/environment.ts
import { createTierkit, fromEnvironment, TierkitError } from 'tierkit';

try {
  const kit = createTierkit(fromEnvironment({ CACHE_BACKEND: 'memory', CACHE_TTL_SEARCH: '3600', ...process.env }));
  await kit.ready();
  const specs = kit.tier('search')('specs');
  await specs.set('query:fast disks', ['disk-1', 'disk-2']);
  console.log(
    kit.info().backend,
    await specs.get('query:fast disks'),
    'for',
    await specs.ttl('query:fast disks'),
    'ms',
  );
  await kit.close();
} catch (error) {
  if (!(error instanceof TierkitError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
