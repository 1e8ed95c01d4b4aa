import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { quotaConformance } from './conformance.ts';

quotaConformance({ name: 'standalone', redis: async () => sharedRedis() });
