import { createQuota } from '@tierkit/quota';
import type { QuotaSubject } from '../run-quota.ts';
import { connectClient } from './client.ts';

/** The least that a charge by day and month does: one script that counts twice. */
export const twoIncrements: QuotaSubject = {
  name: 'limit: two HINCRBY in a script',
  role: 'limit',
  async open(port) {
    const redis = await connectClient(port);
    redis.client.defineCommand('countTwice', {
      numberOfKeys: 2,
      lua: `redis.call('HINCRBY', KEYS[1], 'cost', ARGV[1]) return redis.call('HINCRBY', KEYS[2], 'cost', ARGV[1])`,
    });
    const { countTwice } = redis.client as unknown as {
      countTwice(day: string, month: string, amount: number): Promise<number>;
    };
    return {
      add: (user, amount) => countTwice.call(redis.client, `cost:{${user}}:day`, `cost:{${user}}:month`, amount),
      close: () => redis.close(),
    };
  },
};

export const tierkitQuota = tierkit('tierkit add', () => ({}));
export const tierkitQuotaWithId = tierkit('tierkit add with an id', (count) => ({ id: count }));

function tierkit(name: string, options: (count: number) => { readonly id?: number }): QuotaSubject {
  return {
    name,
    role: 'ours',
    async open(port) {
      const quota = createQuota(
        { cost_micros: { per: ['day', 'month'], limit: { day: 1e12, month: 1e13 } } },
        {
          redis: { host: '127.0.0.1', port, commandTimeout: '5s' },
          prefix: `${name.replaceAll(' ', '-')}:`,
          idTtl: '1m',
        },
      );
      await quota.ready();
      let count = 0;
      return {
        async add(user, amount) {
          const { allowed, usage } = await quota.add(user, { cost_micros: amount }, options(count++));
          if (!allowed) throw new Error('a charge was refused that has room');
          return usage.cost_micros.month.used;
        },
        close: () => quota.close(),
      };
    },
  };
}
