import { cached, type CachedFunction, type CachedOptions, type CachePlace } from './cached.ts';
import { invalidates, type InvalidatesOptions } from './invalidates.ts';
import type { MethodDecorator } from './method-decorator.ts';
import type { ScopeMethods } from './scope-methods.ts';

/** What is put around functions and sources, with the global tier where no other `scope` is given. */
export interface Wrappers {
  /** @see cached */
  cached<Args extends readonly unknown[], Result>(
    compute: (...args: Args) => Result | Promise<Result>,
    options: CachedOptions<Args> & Partial<CachePlace>,
  ): CachedFunction<Args, Result>;
  /** As a decorator. @see cached */
  // oxlint-disable-next-line typescript/no-explicit-any -- arguments of a method that is not known yet
  cached(options: CachedOptions<any[]> & Partial<CachePlace>): MethodDecorator;
  /** @see invalidates */
  invalidates<Args extends readonly unknown[], Result>(
    change: (...args: Args) => Result | Promise<Result>,
    options: InvalidatesOptions<Args> & Partial<CachePlace>,
  ): (...args: Args) => Promise<Result>;
  /** As a decorator. @see invalidates */
  // oxlint-disable-next-line typescript/no-explicit-any -- arguments of a method that is not known yet
  invalidates(options: InvalidatesOptions<any[]> & Partial<CachePlace>): MethodDecorator;
}

export function wrappersIn(scope: ScopeMethods): Wrappers {
  const placed = (args: readonly unknown[]): never => {
    const options = args.at(-1);
    return [...args.slice(0, -1), typeof options === 'object' ? { scope, ...options } : options] as never;
  };
  return {
    cached: (...args: unknown[]) => cached(...(placed(args) as Parameters<typeof cached>)) as never,
    invalidates: (...args: unknown[]) => invalidates(...(placed(args) as Parameters<typeof invalidates>)) as never,
  };
}
