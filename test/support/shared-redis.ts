import { inject } from 'vitest';

/** For connections of tests that are not about time: with all of them at work, a Redis is slow, which is not away. */
export const PATIENT = { commandTimeout: '10s', socketTimeout: '15s' } as const;

/** The Redis that tests share. */
export const sharedRedis = () => ({ url: inject('redisUrl'), ...PATIENT });
