import { limiterConformance } from './conformance.ts';

limiterConformance({ name: 'memory', redis: async () => 'memory' });
