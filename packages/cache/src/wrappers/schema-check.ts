import type { StandardSchemaV1 } from '@standard-schema/spec';
import { copyValue, freezeDeep, TierkitError } from '@tierkit/core';

/** What a schema made of a value; undefined when the value does not pass, or the schema throws. */
export type Verdict = { readonly value: unknown } | undefined;

/** Lets stored values through their schema, and remembers what it made of values that nobody can change. */
export class SchemaCheck {
  readonly #schema: StandardSchemaV1;
  readonly #entry: string;
  readonly #passed = new WeakMap<object, { readonly value: unknown }>();

  constructor(schema: StandardSchemaV1, entry: string) {
    this.#schema = schema;
    this.#entry = entry;
  }

  /** What the schema makes of a value from the cache. It is frozen where that is possible. */
  async judge(value: unknown): Promise<Verdict> {
    const known = this.#known(value);
    if (known !== undefined) return known;
    try {
      return this.#keep(value, await this.#schema['~standard'].validate(value));
    } catch {
      // A schema of a later release may stumble over what an earlier one stored.
      return undefined;
    }
  }

  /** As `judge` but at once; undefined also for a schema that takes its time. */
  judgeNow(value: unknown): Verdict {
    const known = this.#known(value);
    if (known !== undefined) return known;
    try {
      const result = this.#schema['~standard'].validate(value);
      if (!(result instanceof Promise)) return this.#keep(value, result);
      // Nobody waits for it.
      result.catch(() => {});
    } catch {
      // As in `judge`.
    }
    return undefined;
  }

  #known(value: unknown): Verdict {
    return isObject(value) ? this.#passed.get(value) : undefined;
  }

  #keep(value: unknown, result: StandardSchemaV1.Result<unknown>): Verdict {
    if (result.issues !== undefined) return undefined;
    const own = privateCopy(result.value);
    const verdict = { value: own.value };
    if (own.shareable && isObject(value) && Object.isFrozen(value)) this.#passed.set(value, verdict);
    return verdict;
  }

  /** @throws {TierkitError} `ERR_CACHE_SCHEMA`, with the paths that do not pass but without their values. */
  async require(value: unknown): Promise<void> {
    const { issues } = await this.#schema['~standard'].validate(value);
    if (issues === undefined) return;
    const paths = issues.map(({ path = [] }) =>
      path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    );
    const message = `a value of "${this.#entry}" does not pass its schema`;
    const cause = new AggregateError(issues, issues.map((issue) => issue.message).join('; '));
    throw new TierkitError('ERR_CACHE_SCHEMA', message, { cause, details: { entry: this.#entry, paths } });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What a schema made may be an object of its own, a default for example, so that a copy is frozen rather than it. */
function privateCopy(value: unknown): { readonly value: unknown; readonly shareable: boolean } {
  try {
    const copy = copyValue(value);
    return { value: copy, shareable: freezeDeep(copy) };
  } catch {
    // An instance of a class: the schema makes one for each caller.
    return { value, shareable: false };
  }
}
