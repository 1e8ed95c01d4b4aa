import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createQuota, type Quota, type QuotaBackend, type QuotaThreshold } from '../../src/index.ts';

const metrics = {
  api_calls: { per: 'day', limit: 10 },
  cost_micros: { per: ['day', 'month'], limit: { day: 1_000, month: 1_500 } },
  tokens: { per: 'day', limit: 100, overflow: 'partial' },
  overage: { per: 'day', limit: 10, overflow: 'allow' },
  stored_bytes: { gauge: true, limit: 1_000 },
  seconds: { per: { name: 'second', every: '1s' }, limit: 3 },
  unlimited: { per: 'day', limit: Infinity },
} as const;

/** A quota for all tests of a backend. */
export interface QuotaWorld {
  readonly quota: Quota<typeof metrics>;
  /** Everything that `onThreshold` was called with. */
  readonly told: readonly QuotaThreshold[];
  /** One that no other test has. */
  subject(): string;
}

export function quotaWorld(redis: () => Promise<QuotaBackend>): QuotaWorld {
  const told: QuotaThreshold[] = [];
  let quota: Quota<typeof metrics>;
  let count = 0;
  beforeAll(async () => {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    quota = createQuota(metrics, {
      redis: await redis(),
      prefix,
      onThreshold: (reached) => void told.push(reached),
    });
    await quota.ready('10s');
  });
  afterAll(() => quota.close());
  return {
    get quota() {
      return quota;
    },
    told,
    subject: () => `user ${count++}`,
  };
}
