import { encodeSegment, TierkitError } from '@tierkit/core';

/**
 * Where a scope's keys live in Redis.
 *
 * Scoped keys read `session:{abc}:name`: the braces are Redis's hash tag, so a scope fills one Cluster slot. Keys of
 * the global tier lie at the root. Names of our own have braces where no encoded user key can have them, so no input
 * reaches them.
 */
export interface ScopeAddress {
  readonly tier: string;
  /** What goes before an encoded key. */
  readonly prefix: string;
  /** Holds the scope's generation: entries stamped with another one do not exist. */
  readonly generationKey: string;
  /** Holds when which tags of the scope were invalidated. */
  readonly tagsKey: string;
  /** Holds what was written behind and is not in the source of truth yet. */
  readonly pendingKey: string;
  /** Whether entries share the generation's slot, so that one script can read both. */
  readonly scoped: boolean;
}

const PREFIX = /^[\w.:-]{0,128}$/;

/** @throws {TierkitError} `ERR_CACHE_OPTIONS` for a prefix that could change slots or patterns. */
export function validatePrefix(prefix: string): string {
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    const message = 'prefix takes letters, digits and _ . : - only, 128 characters at most';
    throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'prefix', prefix } });
  }
  return prefix;
}

export function scopedAddress(prefix: string, tier: string, id: string | number): ScopeAddress {
  return encodedScopeAddress(prefix, tier, encodeSegment(id, `${tier} id`));
}

/** As {@link scopedAddress}, of an id that is encoded already. */
export function encodedScopeAddress(prefix: string, tier: string, id: string): ScopeAddress {
  const scope = `${prefix}${tier}:{${id}}`;
  return {
    tier,
    prefix: `${scope}:`,
    generationKey: scope,
    tagsKey: `${scope}~tags`,
    pendingKey: `${scope}~pending`,
    scoped: true,
  };
}

export function rootAddress(prefix: string, tier: string): ScopeAddress {
  const own = `${prefix}{tierkit}`;
  return {
    tier,
    prefix,
    generationKey: `${own}generation:${tier}`,
    tagsKey: `${own}tags:${tier}`,
    pendingKey: `${own}pending:${tier}`,
    scoped: false,
  };
}

/** The scope that has this generation key; undefined if none has. */
export function addressOf(prefix: string, generationKey: string): ScopeAddress | undefined {
  if (!generationKey.startsWith(prefix)) return undefined;
  const [, root] = /^\{tierkit\}generation:([\w-]+)$/.exec(generationKey.slice(prefix.length)) ?? [];
  if (root !== undefined) return rootAddress(prefix, root);
  const [, tier, id] = /^([\w-]+):\{([^{}]+)\}$/.exec(generationKey.slice(prefix.length)) ?? [];
  return tier === undefined || id === undefined ? undefined : encodedScopeAddress(prefix, tier, id);
}

/** The id of a scope, encoded as it stands in its keys; undefined for a tier without scopes. */
export function scopeId({ generationKey, scoped }: ScopeAddress): string | undefined {
  return scoped ? generationKey.slice(generationKey.indexOf('{') + 1, -1) : undefined;
}

/** Not a scope: where tags are that were invalidated in all scopes behind the prefix. */
export function everywhereAddress(prefix: string): ScopeAddress {
  const key = `${prefix}{tierkit}tags`;
  return { tier: 'everywhere', prefix, generationKey: key, tagsKey: key, pendingKey: `${key}~pending`, scoped: false };
}

/** What the generation keys of all scopes of a tier begin with; of a tier without scopes, something of its own. */
export function tierPrefix({ generationKey, scoped }: ScopeAddress): string {
  return scoped ? generationKey.slice(0, generationKey.indexOf('{') + 1) : generationKey;
}

/** What Redis matches the leases of a scope's keys with; `pattern` is encoded. */
export function leasePattern(address: ScopeAddress, pattern: string): string {
  return leaseKey(address, address.prefix + pattern);
}

/** The name in a lease's key; undefined for what is no lease of the scope. */
export function nameOfLease(address: ScopeAddress, lease: string): string | undefined {
  const [before = '', after = ''] = leaseKey(address, `${address.prefix}\n`).split('\n');
  if (!lease.startsWith(before) || !lease.endsWith(after)) return undefined;
  const name = lease.slice(before.length, lease.length - after.length);
  return name.includes('{') ? undefined : name;
}

/** The key of the lease that guards a load of `key`, in the slot of that key. */
export function leaseKey(address: ScopeAddress, key: string): string {
  return address.scoped
    ? `${address.generationKey}~lease:${key.slice(address.prefix.length)}`
    : `${address.prefix}{${key}}~lease`;
}
