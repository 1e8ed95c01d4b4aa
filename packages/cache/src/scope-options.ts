import type { Duration } from '@tierkit/core';
import { callPolicy, jittered, type StalenessOptions } from './loads/load-policy.ts';
import type { ScopeState } from './scope-state.ts';
import { entryTags } from './tags/tag-names.ts';
import type { LoadPlan } from './tier-policy.ts';
import type { WritePlan } from './writes/entry-steps.ts';

export interface WriteOptions {
  /** Milliseconds or a string such as `'5m'`. @default the tier's */
  readonly ttl?: Duration;
  /** How long the entry stays after that as a stale one. @default the tier's */
  readonly grace?: Duration;
  /** Rejects with `ERR_CACHE_UNCONFIRMED` instead of resolving to false. @default false */
  readonly required?: boolean;
  /** With one of which `invalidateTags` ends it: 64 at the most, of 1 to 512 characters. @default none */
  readonly tags?: readonly string[];
  /** Encrypts the value in Redis. @default the tier's, which `false` does not undo */
  readonly sensitive?: boolean;
}

export interface ConfirmOptions {
  /** Rejects with `ERR_CACHE_UNCONFIRMED` instead of resolving to false. @default false */
  readonly required?: boolean;
}

/** What a call does not say, its tier does. */
export interface LoadOptions extends StalenessOptions {
  /** Milliseconds or a string such as `'5m'`. @default the tier's */
  readonly ttl?: Duration;
  /** With one of which `invalidateTags` ends it: 64 at the most, of 1 to 512 characters. @default none */
  readonly tags?: readonly string[];
  /** Encrypts the loaded value in Redis. @default the tier's, which `false` does not undo */
  readonly sensitive?: boolean;
}

/** @throws {TierkitError} `ERR_DURATION_INVALID`, `ERR_CACHE_TAGS`, `ERR_VALUE_KEY_MISSING` */
export function loadPlan({ engine, policy }: ScopeState, options: LoadOptions | undefined): LoadPlan {
  if (options === undefined) return policy;
  const sensitive = policy.sensitive || options.sensitive === true;
  if (sensitive) engine.sealer.requireKey();
  return { ...callPolicy(policy, options), sensitive, tags: entryTags(options.tags) };
}

/** @throws {TierkitError} `ERR_DURATION_INVALID`, `ERR_CACHE_TAGS` */
export function writePlan(state: ScopeState, options: WriteOptions | undefined): WritePlan {
  const policy = callPolicy(state.policy, options);
  return { ttlMs: jittered(policy.ttlMs, policy), graceMs: policy.graceMs, tags: entryTags(options?.tags) };
}
