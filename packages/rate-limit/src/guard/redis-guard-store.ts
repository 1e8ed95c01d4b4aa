import type { RedisConnection } from '@tierkit/redis';
import type { GuardRuleSettings } from './guard-options.ts';
import type { GuardStore, Standing } from './guard-store.ts';
import { countFailure } from './redis-scripts/count-failure.ts';
import { standing } from './redis-scripts/standing.ts';
import { takeBack } from './redis-scripts/take-back.ts';

/** Counts in Redis, on Redis's clock, in one round trip a call, within the deadlines of the connection. */
export class RedisGuardStore implements GuardStore {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  standing(key: string, rule: GuardRuleSettings): Promise<Standing> {
    return standing.run(this.#redis, { count: key }, { failures: rule.failures, longest: longestSeconds(rule) });
  }

  failed(key: string, rule: GuardRuleSettings): Promise<Standing> {
    return this.#count(key, rule, 0);
  }

  attempt(key: string, rule: GuardRuleSettings): Promise<Standing> {
    return this.#count(key, rule, 1);
  }

  takeBack(key: string, rule: GuardRuleSettings, what: 'one' | 'all'): Promise<void> {
    return takeBack.run(this.#redis, keysOf(key), { ...numbersOf(rule), all: what === 'all' ? 1 : 0 });
  }

  async forget(key: string): Promise<void> {
    const { count, blocks } = keysOf(key);
    await this.#redis.execute((client) => client.del(count, blocks));
  }

  #count(key: string, rule: GuardRuleSettings, ahead: 0 | 1): Promise<Standing> {
    const durations = rule.blockSeconds.map(String);
    return countFailure.run(this.#redis, keysOf(key), { ...numbersOf(rule), ahead, durations });
  }
}

function keysOf(key: string): { readonly count: string; readonly blocks: string } {
  return { count: key, blocks: `${key}:blocks` };
}

function numbersOf(rule: GuardRuleSettings): Readonly<Record<'failures' | 'within' | 'forget' | 'longest', number>> {
  const { failures, withinSeconds: within, forgetSeconds: forget } = rule;
  return { failures, within, forget, longest: longestSeconds(rule) };
}

/** How long failures or a block can last. */
function longestSeconds({ withinSeconds, blockSeconds }: GuardRuleSettings): number {
  return Math.max(withinSeconds, ...blockSeconds);
}
