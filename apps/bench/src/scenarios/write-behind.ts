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

const common = { valueBytes: 100, concurrency: 100, goal: 1.25, subjects } as const;
const beats = [{ subject: tierkitWrites.name, rival: bullmq.name, times: 3 }];

/**
 * A write to one of 1,000 keys until it is acknowledged, cached, and known to be flushed: of a small record, such as counters
 * or metrics, and of one that takes as long to encode as to write.
 */
export const writeBehindWrites: readonly WriteBehindScenario[] = [
  { ...common, name: 'write-behind-acknowledged', goals: { beats } },
  { ...common, name: 'write-behind-acknowledged-1kb', valueBytes: 1_000 },
  { ...common, name: 'write-behind-acknowledged-sequential', concurrency: 1, goal: undefined },
];

/** 1,000 keys from Redis to a sink that does nothing. */
export const writeBehindFlush: WriteBehindScenario = {
  name: 'write-behind-flush',
  valueBytes: 1_000,
  concurrency: 1,
  goal: undefined,
  subjects: [limitStream, tierkitFlush, bullmq],
};
