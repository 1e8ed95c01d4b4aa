import { inject } from 'vitest';
import { cacheConformance, PATIENT } from './conformance.ts';

cacheConformance({ name: 'standalone Redis', redis: async () => ({ url: inject('redisUrl'), ...PATIENT }) });
