import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
  prefetchOf,
  validateDefinition,
  type AnyDefinition,
  type Entry,
  type EntryDefinition,
  type SchemaEntryDefinition,
} from './define.ts';
import type { LoaderContext } from '../loads/loader-context.ts';
import type { Loaded } from '../scope-methods.ts';
import type { Scope } from '../scope.ts';

type ScopeId = string | number;

/** An entry that every scope of a tier has. */
export interface TierEntryDefinition<Id, T> extends Omit<EntryDefinition<Id, T>, 'load'> {
  /** As in `EntryDefinition`, told first which scope it loads for. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as in `EntryDefinition`
  readonly load?: (scope: ScopeId, id: Id, context: LoaderContext<any>) => Loaded<T> | Promise<Loaded<T>>;
}

/** As `TierEntryDefinition`, with types from a Standard Schema. */
export interface TierSchemaEntryDefinition<Id, S extends StandardSchemaV1> extends Omit<
  SchemaEntryDefinition<Id, S>,
  'load'
> {
  readonly load?: (
    scope: ScopeId,
    id: Id,
    context: LoaderContext<StandardSchemaV1.InferInput<S>>,
  ) => Loaded<StandardSchemaV1.InferInput<S>> | Promise<Loaded<StandardSchemaV1.InferInput<S>>>;
}

/** Defines an entry for a whole tier; what it returns gives the entry of one scope. */
export interface DefineInTier {
  <S extends StandardSchemaV1, Id = void>(
    definition: TierSchemaEntryDefinition<Id, S>,
  ): (scope: ScopeId) => Entry<Id, StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>;
  <T, Id = void>(definition: TierEntryDefinition<Id, T>): (scope: ScopeId) => Entry<Id, T, T>;
}

type AnyEntry = Entry<unknown, unknown, unknown>;

export function defineInTier(scopeOf: (id: ScopeId) => Scope): DefineInTier {
  const define = (definition: TierEntryDefinition<unknown, unknown>): ((id: ScopeId) => AnyEntry) => {
    const { load, ...rest } = definition;
    validateDefinition(definition as AnyDefinition);
    // What follows what is learned from all scopes.
    const prefetch = prefetchOf(rest);
    const entries = new WeakMap<Scope, AnyEntry>();
    return (id) => {
      const scope = scopeOf(id);
      let entry = entries.get(scope);
      if (entry === undefined) {
        const loader = load && { load: (entryId: unknown, context: LoaderContext) => load(id, entryId, context) };
        entry = scope.define<unknown, unknown>({ ...rest, ...loader, ...(prefetch && { prefetch }) });
        entries.set(scope, entry);
      }
      return entry;
    };
  };
  return define;
}
