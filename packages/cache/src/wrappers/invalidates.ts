import { compilePattern, encodeKey, TierkitError, type Key } from '@tierkit/core';
import { placeOf, type AnyFunction, type CachePlace } from './cached.ts';
import { methodDecorator, type AnyMethod, type MethodDecorator } from './method-decorator.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import { callTags } from '../tags/tag-names.ts';

type PerCall<Args extends readonly unknown[], T> = T | ((...args: Args) => T);

/** What a call makes invalid; each may depend on its arguments. */
export interface InvalidatesOptions<Args extends readonly unknown[] = readonly unknown[]> {
  readonly keys?: PerCall<Args, readonly Key[]>;
  /** Tags as for `invalidateTags`. */
  readonly tags?: PerCall<Args, readonly string[]>;
  /** Patterns as for `deleteByPattern`, which reads the names of all keys in Redis. */
  readonly patterns?: PerCall<Args, readonly string[]>;
}

type Invalidation = InvalidatesOptions<unknown[]> & CachePlace;

/**
 * A function that calls another one and then makes cached entries invalid, also if the call failed, since what failed
 * may have taken effect. The result or error of the call is passed on as it is, whether Redis confirmed or not: then the
 * invalidation is made up for when Redis returns. A key, tag or pattern that cannot be one rejects before the call.
 *
 * @throws {TierkitError} `ERR_CACHE_OPTIONS`: nothing to invalidate is named.
 */
export function invalidates<F extends AnyFunction>(
  change: F,
  options: InvalidatesOptions<Parameters<F>> & CachePlace,
): (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;
/** The same as a decorator. Functions among the options are called with the method's `this`. */
// oxlint-disable-next-line typescript/no-explicit-any -- arguments of a method that is not known yet
export function invalidates(options: InvalidatesOptions<any[]> & CachePlace): MethodDecorator;
export function invalidates(
  first: ((...args: unknown[]) => unknown) | Invalidation,
  given?: Invalidation,
): ((...args: unknown[]) => Promise<unknown>) | MethodDecorator {
  if (typeof first !== 'function') {
    const options = validate(first);
    return methodDecorator('invalidates', (method): AnyMethod => {
      return async function invalidatingMethod(...args): Promise<unknown> {
        return run(options, this, args, async () => method.apply(this, args));
      };
    });
  }
  const options = validate(given);
  return async (...args: unknown[]) => run(options, undefined, args, async () => first(...args));
}

async function run(
  options: Invalidation,
  self: unknown,
  args: unknown[],
  call: () => Promise<unknown>,
): Promise<unknown> {
  const each = <T>(option: PerCall<unknown[], readonly T[]> | undefined): readonly T[] =>
    typeof option === 'function' ? option.apply(self, args) : (option ?? []);
  // Before the call: what throws must not hide that the change was made, nor keep the rest from being invalidated.
  const keys = each(options.keys);
  const patterns = each(options.patterns);
  const tags = each(options.tags);
  const scope: ScopeMethods = placeOf(options.scope, self);
  for (const key of keys) encodeKey(key);
  for (const pattern of patterns) compilePattern(pattern);
  callTags(tags);
  try {
    return await call();
  } finally {
    await Promise.all([
      scope.deleteMany(keys),
      tags.length > 0 && scope.invalidateTags(tags),
      ...patterns.map((pattern) => scope.deleteByPattern(pattern)),
    ]);
  }
}

function validate(options: Invalidation | undefined): Invalidation {
  if (options?.scope === undefined) throw invalid('scope', '`scope` says where entries are kept');
  if (options.keys === undefined && options.patterns === undefined && options.tags === undefined)
    throw invalid('keys', 'name `keys`, `tags` or `patterns` to invalidate');
  return options;
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
