import { inject } from 'vitest';
import { sharing } from './conformance-shared.ts';
import { lockConformance } from './conformance.ts';

lockConformance({
  name: 'standalone Redis',
  where: async () => ({ redis: { url: inject('redisUrl'), commandTimeout: '5s' } }),
  sharing,
});
