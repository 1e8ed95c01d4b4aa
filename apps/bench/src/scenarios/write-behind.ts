import {
  bullmq,
  bullmqLatest,
  limitSet,
  limitStream,
  tierkitFlush,
  tierkitWrites,
} from '../subjects/write-behind-subjects.ts';
import type { WriteBehindScenario } from '../write-behind-subject.ts';

const subjects = [limitSet, tierkitWrites, bullmq, bullmqLatest];

/** A write of 1 kB to one of 1,000 keys until it is acknowledged, cached, and known to be flushed. */
export const writeBehindWrites: readonly WriteBehindScenario[] = [
  { name: 'write-behind-acknowledged', concurrency: 100, goal: 1.25, subjects },
  { name: 'write-behind-acknowledged-sequential', concurrency: 1, goal: undefined, subjects },
];

/** The same 1,000 keys from Redis to a sink that does nothing. */
export const writeBehindFlush: WriteBehindScenario = {
  name: 'write-behind-flush',
  concurrency: 1,
  goal: undefined,
  subjects: [limitStream, tierkitFlush, bullmq],
};
