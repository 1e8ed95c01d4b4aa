import { parseDuration, TierkitError } from '@tierkit/core';
import type { TierOptions } from './options.ts';

/** What holds for all entries of a tier that do not say otherwise. */
export interface TierPolicy {
  readonly ttlMs: number;
  readonly sensitive: boolean;
}

/** @throws {TierkitError} `ERR_DURATION_INVALID`, or `ERR_CACHE_OPTIONS` for a sensitive tier without keys */
export function tierPolicy(tier: string, options: TierOptions, hasKeys: boolean): TierPolicy {
  const { sensitive = false } = options;
  if (sensitive && !hasKeys) {
    const message = `the tier "${tier}" is sensitive, which needs encryption: { keys, current }`;
    throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: `tiers.${tier}.sensitive` } });
  }
  return { ttlMs: Math.ceil(parseDuration(options.ttl, `tiers.${tier}.ttl`)), sensitive };
}

/** The name of an option in which two policies differ. */
export function differingOption(known: TierPolicy, other: TierPolicy): string | undefined {
  if (known.ttlMs !== other.ttlMs) return 'ttl';
  return known.sensitive === other.sensitive ? undefined : 'sensitivity';
}
