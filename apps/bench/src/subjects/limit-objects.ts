import type { Subject } from '../subject.ts';

/** What no cache of objects can beat: the objects alone, without a key or a time to live. */
export const limitObjects: Subject = {
  name: 'limit: the objects alone',
  role: 'limit',
  async open() {
    const values: unknown[] = [];
    return {
      read: async () => values.at(-1),
      write: async (_key, value) => values.push(value),
      close: async () => values.splice(0),
    };
  },
};
