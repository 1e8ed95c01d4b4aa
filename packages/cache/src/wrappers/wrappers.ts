import { cached, type AnyFunction, type CachedFunction, type CachedOptions, type CachePlace } from './cached.ts';
import { invalidates, type InvalidatesOptions } from './invalidates.ts';
import type { MethodDecorator } from './method-decorator.ts';
import type {
  AnyIndex,
  IdOf,
  IndexName,
  Repository,
  RepositoryOptions,
  RepositorySource,
} from '../repository/repository-options.ts';
import { repository } from '../repository/repository.ts';
import type { ScopeMethods } from '../scope-methods.ts';

/** What is put around functions and sources, with the global tier where no other `scope` is given. */
export interface Wrappers {
  /** @see cached */
  readonly cached: CachedInPlace;
  /** @see invalidates */
  readonly invalidates: InvalidatesInPlace;
  /** @see repository */
  readonly repository: RepositoryInPlace;
}

/** `cached` with a scope of its own. */
interface CachedInPlace {
  <F extends AnyFunction>(
    compute: F,
    options: CachedOptions<Parameters<F>> & Partial<CachePlace>,
  ): CachedFunction<Parameters<F>, Awaited<ReturnType<F>>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- arguments of a method that is not known yet
  (options: CachedOptions<any[]> & Partial<CachePlace>): MethodDecorator;
}

/** `invalidates` with a scope of its own. */
interface InvalidatesInPlace {
  <F extends AnyFunction>(
    change: F,
    options: InvalidatesOptions<Parameters<F>> & Partial<CachePlace>,
  ): (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- arguments of a method that is not known yet
  (options: InvalidatesOptions<any[]> & Partial<CachePlace>): MethodDecorator;
}

/** `repository` with a scope of its own. */
interface RepositoryInPlace {
  <
    T extends object,
    Draft = T,
    Id extends string | number = IdOf<T>,
    const Indexes extends readonly AnyIndex<T>[] = readonly AnyIndex<T>[],
  >(
    source: RepositorySource<T, Id, Draft>,
    options: RepositoryOptions<T, Id, Indexes> & { readonly scope?: ScopeMethods },
  ): Repository<T, Id, Draft, IndexName<Indexes>>;
}

export function wrappersIn(scope: ScopeMethods): Wrappers {
  const placed = (args: readonly unknown[]): never => {
    const options = args.at(-1);
    return [...args.slice(0, -1), typeof options === 'object' ? { scope, ...options } : options] as never;
  };
  return {
    cached: (...args: unknown[]) => cached(...(placed(args) as Parameters<typeof cached>)) as never,
    repository: (...args: unknown[]) => repository(...(placed(args) as Parameters<typeof repository>)) as never,
    invalidates: (...args: unknown[]) => invalidates(...(placed(args) as Parameters<typeof invalidates>)) as never,
  };
}
