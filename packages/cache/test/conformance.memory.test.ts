import { cacheConformance } from './conformance.ts';

cacheConformance({ name: 'memory', redis: async () => 'memory' });
