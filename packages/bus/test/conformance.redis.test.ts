import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { busConformance } from './conformance.ts';

busConformance('Redis', () => sharedRedis());
// Commands in turn over several connections must not overtake each other.
busConformance('Redis with a pool', () => ({ ...sharedRedis(), maxConnections: 4 }));
