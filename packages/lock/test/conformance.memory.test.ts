import { sharing } from './conformance-shared.ts';
import { lockConformance } from './conformance.ts';

lockConformance({ name: 'memory', where: async () => ({ redis: 'memory' }), sharing });
