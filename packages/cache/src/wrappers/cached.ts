import { TierkitError, type Frozen, type Key } from '@tierkit/core';
import { callKey } from './call-key.ts';
import { methodDecorator, type AnyMethod, type MethodDecorator } from './method-decorator.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope-options.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- whatever function it is, its types are inferred from it
export type AnyFunction = (...args: any[]) => unknown;

export interface CachePlace {
  /** Where results are kept, or what finds it from `this` at the call. */
  // oxlint-disable-next-line typescript/no-explicit-any -- `this` is the user's class
  readonly scope: ScopeMethods | ((self: any) => ScopeMethods);
}

/** How calls become keys: by a function of the arguments, or by a prefix and a hash of them. */
type CallKeys<Args extends readonly unknown[]> =
  | { readonly key: (...args: Args) => Key; readonly prefix?: never }
  | { readonly prefix: string; readonly key?: never };

/** How results are kept; the rest is as for `getOrSet`. */
export type CachedOptions<Args extends readonly unknown[] = readonly unknown[]> = LoadOptions & CallKeys<Args>;

/** A function whose results are cached. */
export interface CachedFunction<Args extends readonly unknown[], Result> {
  (...args: Args): Promise<Frozen<Result>>;
  /** Forgets the result of a call with these arguments. @returns whether Redis confirmed */
  invalidate(...args: Args): Promise<boolean>;
  /** Where the result of a call with these arguments is kept. */
  key(...args: Args): Key;
}

/**
 * A function that caches what another one returns, as `getOrSet` does: concurrent calls with the same arguments share one
 * call, errors are not cached, and undefined is not either.
 *
 * @throws {TierkitError} `ERR_CACHE_OPTIONS`: neither `key` nor `prefix`, or both. A call rejects with `ERR_KEY_INVALID` when
 * no key can be made of its arguments.
 */
export function cached<F extends AnyFunction>(
  compute: F,
  options: CachedOptions<Parameters<F>> & CachePlace,
): CachedFunction<Parameters<F>, Awaited<ReturnType<F>>>;
/** The same as a decorator. `key` is called with the method's `this`. The method resolves to frozen values. */
// oxlint-disable-next-line typescript/no-explicit-any -- arguments of a method that is not known yet
export function cached(options: CachedOptions<any[]> & CachePlace): MethodDecorator;
export function cached(
  first: ((...args: unknown[]) => unknown) | (CachedOptions<unknown[]> & CachePlace),
  given?: CachedOptions<unknown[]> & CachePlace,
): CachedFunction<unknown[], unknown> | MethodDecorator {
  if (typeof first !== 'function') {
    const { keyOf, scopeOf, policy } = prepare(first);
    return methodDecorator('cached', (method): AnyMethod => {
      return async function cachedMethod(...args): Promise<unknown> {
        return scopeOf(this).getOrSet(keyOf(this, args), async () => method.apply(this, args), policy);
      };
    });
  }
  const { keyOf, scopeOf, policy } = prepare(given);
  const call = async (...args: unknown[]): Promise<unknown> =>
    scopeOf(undefined).getOrSet(keyOf(undefined, args), async () => first(...args), policy);
  return Object.assign(call, {
    invalidate: async (...args: unknown[]): Promise<boolean> => scopeOf(undefined).delete(keyOf(undefined, args)),
    key: (...args: unknown[]): Key => keyOf(undefined, args),
  });
}

/** The scope that an option names, at a call. */
export function placeOf(scope: CachePlace['scope'], self: unknown): ScopeMethods {
  return typeof scope === 'function' ? scope(self) : scope;
}

interface Prepared {
  readonly keyOf: (self: unknown, args: unknown[]) => Key;
  readonly scopeOf: (self: unknown) => ScopeMethods;
  readonly policy: LoadOptions;
}

function prepare(options: (CachedOptions<unknown[]> & CachePlace) | undefined): Prepared {
  const { scope, key, prefix, ...policy } = options ?? ({} as CachedOptions<unknown[]> & Partial<CachePlace>);
  if (scope === undefined) throw invalid('scope', 'says where results are kept');
  const keyOf =
    key !== undefined && prefix === undefined
      ? (self: unknown, args: unknown[]): Key => key.apply(self, args)
      : prefix !== undefined && prefix !== '' && key === undefined
        ? (_: unknown, args: unknown[]): Key => callKey(prefix, args)
        : undefined;
  if (keyOf === undefined) throw invalid('key', 'or `prefix` is needed, and only one of them');
  return { keyOf, policy, scopeOf: (self) => placeOf(scope, self) };
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', `\`${option}\` ${message}`, { details: { option } });
}
