import type { QuotaScenario } from '../run-quota.ts';
import { tierkitQuota, tierkitQuotaWithId, twoIncrements } from '../subjects/quota-subjects.ts';

const common = { goal: undefined, subjects: [twoIncrements, tierkitQuota, tierkitQuotaWithId] } as const;

/** One charge to one of 500 users, by day and by month. */
export const quota: readonly QuotaScenario[] = [
  { ...common, name: 'quota-add', concurrency: 100 },
  { ...common, name: 'quota-add-sequential', concurrency: 1 },
];
