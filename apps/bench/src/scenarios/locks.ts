import type { ContendedLocks, UncontendedLocks } from '../run-locks.ts';
import { contendedSubjects, quorumSubjects, uncontendedSubjects } from '../subjects/lock-subjects.ts';

/** A lock that nobody else wants. */
export const uncontendedLocks: readonly UncontendedLocks[] = [
  { name: 'lock-uncontended-sequential', concurrency: 1, goal: 1.3, subjects: uncontendedSubjects },
  { name: 'lock-uncontended-32', concurrency: 32, goal: 1.1, subjects: uncontendedSubjects },
];

const herd = { processes: 4, waiters: 50 } as const;

/** A lock that 50 waiters want, over and over or once. */
export const contendedLocks: readonly ContendedLocks[] = [
  {
    ...herd,
    name: 'lock-contended-50',
    forMs: 3_000,
    subjects: contendedSubjects,
    goals: {
      beats: [
        { subject: 'tierkit', rival: 'redis-semaphore', times: 1 },
        { subject: 'tierkit', rival: 'redlock 5', times: 1 },
      ],
      atLeast: { fairness: 0.99 },
      atMost: { longestWaitToMedian: 3 },
      commandsAtMost: 3.5,
    },
  },
  {
    ...herd,
    name: 'lock-herd-50',
    forMs: 0,
    subjects: contendedSubjects,
    goals: { beats: [{ subject: 'tierkit', rival: 'redis-semaphore', times: 3 }] },
  },
];

/** The same herd, for a majority of three servers. */
export const quorumLocks: readonly ContendedLocks[] = [
  { ...herd, name: 'lock-quorum-3', forMs: 0, subjects: quorumSubjects },
];
