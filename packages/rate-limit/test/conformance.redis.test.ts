import { inject } from 'vitest';
import { limiterConformance } from './conformance.ts';

limiterConformance({ name: 'standalone Redis', redis: async () => inject('redisUrl') });
