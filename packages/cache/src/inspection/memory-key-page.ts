import type { ScopeAddress } from '../scope-address.ts';
import type { StoredEntry } from '../stores/store.ts';
import { badCursor } from './bad-cursor.ts';
import type { FoundKey, FoundPage, KeyQuery } from './key-query.ts';

const FORM = /^m([\w-]{1,4000})$/;

/**
 * One page of the keys of this process that a query asks for, in order: what exists all the time comes exactly once.
 *
 * @param live the entry, if it exists
 * @throws {TierkitError} `ERR_CACHE_CURSOR`
 */
export function memoryKeyPage(
  names: Iterable<string>,
  live: (scope: ScopeAddress, key: string) => StoredEntry | undefined,
  query: KeyQuery,
  limit: number,
  cursor: string | undefined,
): FoundPage {
  const after = cursor === undefined ? '' : decode(cursor);
  const asked: { readonly key: string; readonly scope: ScopeAddress }[] = [];
  for (const key of names) {
    const scope = key > after ? query.ownerOf(key) : undefined;
    if (scope !== undefined) asked.push({ key, scope });
  }
  asked.sort((a, b) => (a.key < b.key ? -1 : 1));
  const keys: FoundKey[] = [];
  for (const { key, scope } of asked) {
    const last = keys.at(-1);
    if (keys.length === limit && last !== undefined) return { keys, cursor: encode(last.key) };
    const entry = live(scope, key);
    const tags = entry?.tags?.names ?? [];
    if (entry !== undefined && (query.tag === undefined || tags.includes(query.tag))) keys.push({ scope, key, tags });
  }
  return { keys, cursor: undefined };
}

function encode(after: string): string {
  return `m${Buffer.from(after).toString('base64url')}`;
}

function decode(cursor: string): string {
  const after = FORM.exec(cursor)?.[1];
  if (after === undefined) throw badCursor();
  return Buffer.from(after, 'base64url').toString();
}
