import { inject } from 'vitest';
import { quotaConformance } from './conformance.ts';

quotaConformance({ name: 'standalone', redis: async () => ({ url: inject('redisUrl'), commandTimeout: '10s' }) });
