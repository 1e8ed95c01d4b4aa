import { TierkitError } from '@tierkit/core';
import { loadPolicy, type LoadPolicy } from './loads/load-policy.ts';
import type { TierOptions } from './options.ts';

/** What holds for all entries of a tier that do not say otherwise. */
export interface TierPolicy extends LoadPolicy {
  readonly sensitive: boolean;
}

/** What holds for one load. */
export interface LoadPlan extends TierPolicy {
  /** As they are stored. */
  readonly tags: readonly string[];
}

/** @throws {TierkitError} `ERR_DURATION_INVALID`, or `ERR_CACHE_OPTIONS` for a sensitive tier without keys */
export function tierPolicy(tier: string, options: TierOptions, hasKeys: boolean): TierPolicy {
  const { sensitive = false } = options;
  if (sensitive && !hasKeys) {
    const message = `the tier "${tier}" is sensitive, which needs encryption: { keys, current }`;
    throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: `tiers.${tier}.sensitive` } });
  }
  return { ...loadPolicy(options, `tiers.${tier}.`), sensitive };
}

/** The name of an option in which two policies differ. */
export function differingOption(known: TierPolicy, other: TierPolicy): string | undefined {
  const { tags: _none, ...options } = { tags: undefined, ...known };
  const differing = (Object.keys(options) as (keyof TierPolicy)[]).find((key) => known[key] !== other[key]);
  return differing === 'sensitive' ? 'sensitivity' : differing?.replace(/Ms$/, '');
}
