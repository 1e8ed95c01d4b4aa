import type { LoadedAbsent, LoadedUnchanged, LoadedWith } from './loads/loader-context.ts';
import type { Scope } from './scope.ts';

/** What wrappers need of a cache: a scope, or all of `createCache`. */
export type ScopeMethods = Pick<Scope, keyof Scope>;

/** What a loader may return: a value, undefined for none that is kept, or what its context made. */
export type Loaded<T> = T | LoadedWith<T> | LoadedAbsent | LoadedUnchanged | undefined;
