import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sharing } from './conformance-shared.ts';
import { lockConformance } from './conformance.ts';

lockConformance({
  name: 'standalone Redis',
  where: async () => ({ redis: sharedRedis() }),
  sharing,
});
