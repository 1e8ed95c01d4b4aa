import { slidingWindow, tokenBucket } from '@tierkit/rate-limit';
import type { createTierkit } from 'tierkit';
import { PLAN_OF } from './allowances.ts';

/** How many requests of a user pass in a minute, by plan, and for those who have a limit of their own. */
export const REQUESTS_A_MINUTE = { free: 20, pro: 200 } as const;
export const OWN_LIMIT: Readonly<Record<string, number>> = { cy: 75 };

/** What the registry of licences allows the service, for all instances together. */
const REGISTRY_A_MINUTE = 60;

/** What became of a user's requests at one instance. */
export interface Burst {
  readonly allowed: number;
  readonly denied: number;
  /** Denials that this process answered without asking Redis. */
  readonly shielded: number;
  readonly retryAfterMs: number;
}

export interface ProviderStatus {
  readonly limit: number;
  readonly remaining: number;
}

/** How often users may ask, and how often a provider may be asked. The only file that uses limiters. */
export class RequestLimits {
  readonly #requests;
  readonly #providers;

  constructor(kit: ReturnType<typeof createTierkit>) {
    this.#requests = kit.rateLimit(
      'requests',
      [
        slidingWindow({ limit: REQUESTS_A_MINUTE.free, per: '1m', name: 'minute' }),
        tokenBucket({ capacity: 5_000, refill: 5_000, per: '1d', name: 'day' }),
      ],
      { plans: { free: {}, pro: { minute: REQUESTS_A_MINUTE.pro } }, onUnavailable: 'closed' },
    );
    this.#providers = kit.rateLimit('providers', [slidingWindow({ limit: REGISTRY_A_MINUTE, per: '1m' })]);
  }

  /** So many requests of one user at once. */
  async burst(user: string, requests: number): Promise<Burst> {
    const own = OWN_LIMIT[user];
    const options = { plan: PLAN_OF[user] ?? 'free', ...(own === undefined ? {} : { limits: { minute: own } }) };
    const first = await Promise.all(Array.from({ length: requests }, () => this.#requests.consume(user, options)));
    // Whoever was denied tries again, as clients do.
    const again = await Promise.all(Array.from({ length: requests }, () => this.#requests.consume(user, options)));
    const results = [...first, ...again];
    const denied = results.filter(({ allowed }) => !allowed);
    return {
      allowed: results.length - denied.length,
      denied: denied.length,
      shielded: denied.filter(({ source }) => source === 'shield').length,
      retryAfterMs: Math.max(0, ...denied.map(({ retryAfterMs }) => retryAfterMs)),
    };
  }

  /** Asks a provider so often, none at all for its mere status. */
  async provider(name: string, requests: number): Promise<ProviderStatus> {
    if (requests > 0) await this.#providers.consume(name, { cost: requests });
    const { limit, remaining } = await this.#providers.peek(name);
    return { limit, remaining };
  }
}
