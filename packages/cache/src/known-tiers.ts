import { parseDuration, TierkitError, type Duration } from '@tierkit/core';
import type { TierOptions } from './options.ts';
import { differingOption, tierPolicy, type LoadPlan } from './tier-policy.ts';

const DEFAULT_TTLS: Readonly<Record<string, number>> = { session: 300_000, project: 3_600_000, global: 86_400_000 };

/** A tier's policy, which its scopes share. */
interface KnownTier {
  readonly policy: LoadPlan;
  /** Whether somebody asked for it; a default gives way to the first who does. */
  stated: boolean;
}

/** The tiers of one cache by name: the built-in ones, those that its options state, and those that calls add. */
export class KnownTiers {
  readonly #known = new Map<string, KnownTier>();
  readonly #defaultTtl: Duration | undefined;
  readonly #hasKeys: boolean;

  /**
   * @param defaultTtl of tiers that state none
   * @param hasKeys whether there are keys to encrypt with
   * @throws {TierkitError} `ERR_CACHE_OPTIONS`, `ERR_DURATION_INVALID`
   */
  constructor(tiers: Readonly<Record<string, TierOptions>>, defaultTtl: Duration | undefined, hasKeys: boolean) {
    this.#hasKeys = hasKeys;
    this.#defaultTtl = defaultTtl;
    if (defaultTtl !== undefined) parseDuration(defaultTtl, 'defaultTtl');
    for (const [name, ttl] of Object.entries(DEFAULT_TTLS)) this.#learn(name, { ttl: defaultTtl ?? ttl }, false);
    for (const [name, tier] of Object.entries(tiers)) this.state(name, tier);
  }

  get names(): string[] {
    return [...this.#known.keys()];
  }

  /** The policy that all scopes of the tier share; of a tier that nobody uses here it is one that keeps nothing. */
  policyOf(name: string): LoadPlan {
    return this.#known.get(name)?.policy ?? this.#policy(name, { ttl: 1 });
  }

  /** As `policyOf`, for a tier that is used from now on. */
  usedPolicyOf(name: string): LoadPlan {
    return (this.#known.get(name) ?? this.#learn(name, { ttl: 1 }, false)).policy;
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** @throws {TierkitError} `ERR_CACHE_OPTIONS`: no name for a tier, or not what was stated before */
  state(name: string, options: TierOptions): void {
    this.#learn(checkTierName(name), options, true);
  }

  /** @throws {TierkitError} `ERR_CACHE_OPTIONS`: no name for a tier, or one that nothing is known of */
  use(name: string): void {
    if (this.#known.has(checkTierName(name))) return;
    if (this.#defaultTtl === undefined) throw invalid('tier', `the tier "${name}" needs a ttl`);
    this.#learn(name, { ttl: this.#defaultTtl }, false);
  }

  #learn(name: string, options: TierOptions, stated: boolean): KnownTier {
    const policy = this.#policy(name, options);
    const known = this.#known.get(name);
    if (known === undefined) {
      const made = { policy, stated };
      this.#known.set(name, made);
      return made;
    }
    const differing = known.stated ? differingOption(known.policy, policy) : undefined;
    if (differing !== undefined) throw invalid('tier', `the tier "${name}" has another ${differing} already`);
    if (!known.stated) Object.assign(known.policy, policy);
    known.stated ||= stated;
    return known;
  }

  #policy(name: string, options: TierOptions): LoadPlan {
    return { ...tierPolicy(name, options, this.#hasKeys), tags: [] };
  }
}

/** @throws {TierkitError} `ERR_CACHE_OPTIONS` */
function checkTierName(name: string): string {
  if (/^[a-z][a-z0-9_-]{0,63}$/i.test(name)) return name;
  throw invalid('tiers', `"${name}" is no name for a tier: letters, digits, _ and - after a letter`);
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
