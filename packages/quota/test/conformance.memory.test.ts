import { quotaConformance } from './conformance.ts';

quotaConformance({ name: 'memory', redis: async () => 'memory' });
