import type { LoadOptions as ScopeLoadOptions, Scope } from './scope.ts';

/** What wrappers need of a cache: a scope, or all of `createCache`. */
export type ScopeMethods = Pick<Scope, keyof Scope>;

/** What a loader is called with by `getOrSet`. */
export type LoaderContext = Parameters<Parameters<Scope['getOrSet']>[1]>;

export type LoadOptions = ScopeLoadOptions;
