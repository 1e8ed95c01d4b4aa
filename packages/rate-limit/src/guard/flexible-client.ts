import type { FailureStore } from './failure-store.ts';

type Replies = [error: null, reply: unknown][];

/** One transaction of rate-limiter-flexible, of the two kinds that it has. */
interface Transaction {
  get(key: string): Transaction;
  set(key: string, count: number, unit: 'EX', seconds: number): Transaction;
  pttl(key: string): Transaction;
  exec(): Promise<Replies>;
}

/** What rate-limiter-flexible asks of an ioredis client. */
export interface FlexibleClient {
  rlflxIncr(parts: readonly string[]): Promise<[count: number, leftMs: number]>;
  multi(): Transaction;
  del(key: string): Promise<number>;
}

/**
 * An ioredis client as far as rate-limiter-flexible can tell, over a store whose calls end in time.
 *
 * It never sees the real client: with one, it defines a command there that all its limiters share, and waits as long as that
 * client does.
 */
export function flexibleClient(store: FailureStore): FlexibleClient {
  return {
    rlflxIncr: ([key = '', by, seconds]) => store.increment(key, Number(by), Number(seconds)),
    multi: () => transaction(store),
    del: (key) => store.remove(key),
  };
}

const nothing = (): Promise<never> => Promise.reject(new Error('an empty transaction'));

function transaction(store: FailureStore): Transaction {
  let run: () => Promise<[unknown, number]> = nothing;
  const made: Transaction = {
    get(key) {
      run = () => store.read(key);
      return made;
    },
    set(key, count, _, seconds) {
      run = () => store.write(key, count, seconds);
      return made;
    },
    pttl: () => made,
    exec: async () => (await run()).map((reply) => [null, reply]),
  };
  return made;
}
