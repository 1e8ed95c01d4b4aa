import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { cacheConformance } from './conformance.ts';

cacheConformance({ name: 'standalone Redis', redis: async () => sharedRedis() });
