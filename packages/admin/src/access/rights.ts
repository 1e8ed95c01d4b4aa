/**
 * What a token may do; each route needs one of them.
 *
 * - `stats`: figures, health, who is alive; no names of keys
 * - `names`: names of keys, tags, locks, subjects and streams, and what is known about them
 * - `values`: cached values and messages; part of no role
 * - `clear`: ending entries of the cache, by key, pattern, tag, scope or tier
 * - `operate`: reset of limits and quotas, release of locks, replay of dead letters
 * - `audit`: who did what
 */
export const RIGHTS = ['stats', 'names', 'values', 'clear', 'operate', 'audit'] as const;
export type Right = (typeof RIGHTS)[number];

export type Role = 'viewer' | 'operator' | 'admin';

const viewer: readonly Right[] = ['stats', 'names'];
const operator: readonly Right[] = [...viewer, 'clear', 'operate'];

/** Each role has the rights of the one before. None of them reads values. */
export const ROLE_RIGHTS: Readonly<Record<Role, readonly Right[]>> = {
  viewer,
  operator,
  admin: [...operator, 'audit'],
};
