import { inject } from 'vitest';
import { busConformance, PATIENT } from './conformance.ts';

busConformance('Redis', () => ({ url: inject('redisUrl'), ...PATIENT }));
// Commands in turn over several connections must not overtake each other.
busConformance('Redis with a pool', () => ({ url: inject('redisUrl'), maxConnections: 4, ...PATIENT }));
