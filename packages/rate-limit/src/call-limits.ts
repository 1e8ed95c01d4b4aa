import { LRUCache } from 'lru-cache';
import { limitError, throwFaults } from './errors.ts';
import { limitFaults, type LimitsByPolicy } from './limiter-options.ts';
import type { Policy } from './policy.ts';
import type { Parameters } from './stores/limit-store.ts';

/** Which limits hold in a call. The same ones are the same object, so that they can be compared by identity. */
export class CallLimits {
  readonly #policies: readonly Policy[];
  readonly #plans: ReadonlyMap<string, LimitsByPolicy>;
  /** The limits of the policies themselves. */
  readonly stated: Parameters;
  readonly #known = new LRUCache<string, Parameters>({ max: 1_000 });

  constructor(policies: readonly Policy[], plans: Readonly<Record<string, LimitsByPolicy>>) {
    this.#policies = policies;
    this.#plans = new Map(Object.entries(plans));
    this.stated = policies.map(({ limit, parameters }) => parameters(limit));
  }

  /** @throws {TierkitError} `ERR_LIMIT_ARGUMENT` */
  of(plan: string | undefined, limits: LimitsByPolicy | undefined): Parameters {
    if (plan === undefined && limits === undefined) return this.stated;
    const planned = plan === undefined ? {} : this.#plans.get(plan);
    if (planned === undefined) throw limitError('ERR_LIMIT_ARGUMENT', 'there is no such plan', { plan });
    if (limits !== undefined) throwFaults('ERR_LIMIT_ARGUMENT', 'limits', limitFaults(limits, this.#policies));
    const chosen = this.#policies.map(({ name, limit }) => limitOf(limits, name) ?? limitOf(planned, name) ?? limit);
    const id = chosen.join();
    let known = this.#known.get(id);
    if (known === undefined) {
      known = this.#policies.map(({ parameters }, i) => parameters(chosen[i] ?? 0));
      this.#known.set(id, known);
    }
    return known;
  }
}

/** A policy may be called `constructor`. */
function limitOf(limits: LimitsByPolicy | undefined, name: string): number | undefined {
  return limits !== undefined && Object.hasOwn(limits, name) ? limits[name] : undefined;
}
