import type { LimitScenario } from '../run-limit.ts';
import {
  flexibleBlocking,
  flexibleUnion,
  flexibleWindow,
  rateLimitRedis,
  upstashBucket,
  upstashFixed,
  upstashSliding,
} from '../subjects/limiter-peers.ts';
import {
  rawIncrement,
  tierkitAsking,
  tierkitBucket,
  tierkitFixed,
  tierkitGcra,
  tierkitShielded,
  tierkitSliding,
  tierkitTwo,
} from '../subjects/limiter-subjects.ts';

const common = { concurrency: 100, denied: false, goal: undefined } as const;
const fixed = [rawIncrement, tierkitFixed, flexibleWindow, rateLimitRedis, upstashFixed] as const;

/** One decision in Redis about one of 500 keys; whoever has no algorithm of the kind takes part with its fixed window. */
export const limit: readonly LimitScenario[] = [
  {
    ...common,
    name: 'limit-fixed-window',
    subjects: fixed,
    goals: { beats: [{ subject: tierkitFixed.name, rival: flexibleWindow.name, times: 1 }] },
  },
  { ...common, name: 'limit-fixed-window-sequential', concurrency: 1, subjects: fixed },
  {
    ...common,
    name: 'limit-sliding-window',
    subjects: [rawIncrement, tierkitSliding, upstashSliding, flexibleWindow],
  },
  { ...common, name: 'limit-token-bucket', subjects: [rawIncrement, tierkitBucket, upstashBucket, flexibleWindow] },
  {
    ...common,
    name: 'limit-gcra',
    subjects: [rawIncrement, tierkitGcra, flexibleWindow],
    goals: { beats: [{ subject: tierkitGcra.name, rival: flexibleWindow.name, times: 1 }] },
  },
  {
    ...common,
    name: 'limit-two-policies',
    subjects: [rawIncrement, tierkitTwo, flexibleUnion],
    goals: { beats: [{ subject: tierkitTwo.name, rival: flexibleUnion.name, times: 1.5 }] },
  },
  {
    ...common,
    name: 'limit-denied',
    denied: true,
    goals: {
      beats: [
        { subject: tierkitShielded.name, rival: flexibleBlocking.name, times: 1 },
        { subject: tierkitShielded.name, rival: tierkitAsking.name, times: 8 },
      ],
    },
    subjects: [rawIncrement, tierkitAsking, tierkitShielded, flexibleBlocking, flexibleWindow],
  },
];
