import { inject } from 'vitest';
import { busConformance } from './conformance.ts';

busConformance('Redis', () => inject('redisUrl'));
// Commands in turn over several connections must not overtake each other.
busConformance('Redis with a pool', () => ({ url: inject('redisUrl'), maxConnections: 4 }));
