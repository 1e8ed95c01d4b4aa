import { inject } from 'vitest';
import { cacheConformance } from './conformance.ts';

cacheConformance({ name: 'standalone Redis', redis: async () => inject('redisUrl') });
