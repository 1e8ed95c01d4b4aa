import type { WriteBehindQueue } from '@tierkit/cache';
import type { QueuePart } from './admin-parts.ts';

/** A write-behind queue of a cache, as an admin shows it. */
export function writeBehindPart(queue: Omit<WriteBehindQueue, never>): QueuePart {
  const list: QueuePart['deadLetters']['list'] = async (options) => {
    const letters = await queue.deadLetters(options);
    return letters.map(({ id, reason, failures, item }) => {
      const letter = { id, reason, attempts: failures };
      return item === undefined ? letter : Object.assign(letter, { payload: item });
    });
  };
  return {
    name: queue.name,
    kind: 'write-behind',
    async state() {
      const { backlog, oldestAgeMs, deadLetters } = await queue.status();
      return { pending: backlog, deadLetters, oldestMs: oldestAgeMs };
    },
    deadLetters: {
      list,
      async replay(ids) {
        const { replayed, superseded } = await queue.replay(ids === undefined ? {} : { ids });
        return replayed + superseded;
      },
      remove: (ids) => (ids === undefined ? queue.discardAll() : queue.discard(ids)),
    },
  };
}
