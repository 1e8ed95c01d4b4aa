import type { QueueDeadLetter, QueuePart, StreamSource } from './admin-parts.ts';

/** A durable channel of a bus, as an admin shows it. */
export function streamPart({ name, groups, deadLetters }: StreamSource): QueuePart {
  return {
    name,
    kind: 'stream',
    async state() {
      const all = await groups();
      // Each group has the dead letters of the whole channel counted.
      const given = Math.max(0, ...all.map((group) => group.deadLetters));
      return {
        pending: all.reduce((sum, { pending }) => sum + pending, 0),
        deadLetters: given,
        groups: all.map(({ name: own, waiting, pending }) => {
          const group = { name: own, pending };
          return waiting === undefined ? group : Object.assign(group, { waiting });
        }),
      };
    },
    deadLetters: {
      async list(options) {
        const letters = await deadLetters.list(options);
        return letters.map(({ id, group, attempts, reason, event }): QueueDeadLetter => {
          const letter = { id, group, attempts, reason };
          return event === undefined ? letter : Object.assign(letter, { payload: event });
        });
      },
      replay: (ids) => deadLetters.replay(ids),
      remove: (ids) => deadLetters.remove(ids),
    },
  };
}
