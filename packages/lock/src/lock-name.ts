import { encodeKey, type Key } from '@tierkit/core';
import { lockError } from './errors.ts';

export type Kind = 'lock' | 'semaphore';

/** Which lock it is, as `list` says it: names that were too long for Redis can be told only so. */
export interface ListedName {
  readonly kind: Kind;
  /** Encoded as in Redis. */
  readonly name: string;
}

const RESOURCE = /^(lock|semaphore):\{([^{}*?[\]\\\s\u0000-\u001f\u007f-\u009f]{1,512})\}$/;

export const resourceOf = (kind: Kind, encoded: string): string => `${kind}:{${encoded}}`;

export const isResource = (text: string): boolean => RESOURCE.test(text);

export function listedName(resource: string): ListedName {
  const [, kind = 'lock', name = ''] = RESOURCE.exec(resource) ?? [];
  return { kind: kind as Kind, name };
}

/** @throws {TierkitError} `ERR_KEY_INVALID`; `ERR_LOCK_OPTIONS` for what `list` cannot have said */
export function namedResource(name: Key | ListedName): string {
  if (typeof name !== 'object' || name === null || !('kind' in name)) return resourceOf('lock', encodeKey(name));
  const resource = resourceOf(name.kind, name.name);
  if (isResource(resource)) return resource;
  throw lockError('ERR_LOCK_OPTIONS', 'a name as it was listed has a kind and a name');
}
