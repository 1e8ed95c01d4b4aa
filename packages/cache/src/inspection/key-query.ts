import { compilePattern } from '@tierkit/core';
import type { ScopeAddress } from '../scope-address.ts';
import { encodedScopeAddress, rootAddress } from '../scope-address.ts';

/** Which keys are asked for: those of a tier, of one scope of it, or of the root. */
export interface KeyQuery {
  /** What Redis matches them with; it may match more. */
  readonly match: string;
  /** With this tag only; undefined for any. */
  readonly tag: string | undefined;
  /** The scope whose entry a key would be; undefined for a key that is not asked for. */
  ownerOf(key: string): ScopeAddress | undefined;
}

/** A key and the scope that it belongs to. */
export interface FoundKey {
  readonly scope: ScopeAddress;
  readonly key: string;
  readonly tags: readonly string[];
}

export interface FoundPage {
  /** As many as were asked for, or fewer. */
  readonly keys: readonly FoundKey[];
  /** Where to go on; undefined at the end. */
  readonly cursor: string | undefined;
}

export interface Asked {
  readonly pattern: string;
  readonly tag?: string | undefined;
}

/** All keys of the root that match. @throws {TierkitError} `ERR_PATTERN_INVALID` */
export function rootQuery(prefix: string, tier: string, { pattern, tag }: Asked): KeyQuery {
  return scopeQuery(rootAddress(prefix, tier), { pattern, tag });
}

/** All keys of a scope that match. @throws {TierkitError} `ERR_PATTERN_INVALID` */
export function scopeQuery(address: ScopeAddress, { pattern, tag }: Asked): KeyQuery {
  const compiled = compilePattern(pattern);
  return {
    match: address.prefix + compiled.encoded,
    tag,
    ownerOf(key) {
      if (!key.startsWith(address.prefix)) return undefined;
      const name = key.slice(address.prefix.length);
      // Names of scopes and of our own have raw braces; a user's key never does.
      return !name.includes('{') && compiled.matches(name) ? address : undefined;
    },
  };
}

/** All keys of all scopes of a tier that match. @throws {TierkitError} `ERR_PATTERN_INVALID` */
export function tierQuery(prefix: string, tier: string, { pattern, tag }: Asked): KeyQuery {
  const compiled = compilePattern(pattern);
  const start = `${prefix}${tier}:{`;
  return {
    match: `${start}*}:${compiled.encoded}`,
    tag,
    ownerOf(key) {
      const end = key.indexOf('}', start.length);
      if (!key.startsWith(start) || end <= start.length || key[end + 1] !== ':') return undefined;
      const name = key.slice(end + 2);
      if (name.includes('{') || !compiled.matches(name)) return undefined;
      return encodedScopeAddress(prefix, tier, key.slice(start.length, end));
    },
  };
}
