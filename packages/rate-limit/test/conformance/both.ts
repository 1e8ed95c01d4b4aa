import { slidingWindow, tokenBucket, type Policy } from '../../src/index.ts';

/** Two policies, of which the first has less left. */
export const both = (): Policy[] => [
  slidingWindow({ limit: 3, per: '1s', name: 'burst' }),
  tokenBucket({ capacity: 5, refill: 5, per: '1h', name: 'hourly' }),
];
