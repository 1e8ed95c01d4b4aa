import { TierkitError } from '@tierkit/core';

type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Promise<Result>;

/** A decorator for asynchronous methods, in the standard form and in that of `experimentalDecorators`. */
export interface MethodDecorator {
  <This, Args extends unknown[], Result>(
    method: Method<This, Args, Result>,
    context: ClassMethodDecoratorContext<This, Method<This, Args, Result>>,
  ): Method<This, Args, Result>;
  <This, Args extends unknown[], Result>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method<This, Args, Result>>,
  ): TypedPropertyDescriptor<Method<This, Args, Result>>;
}

export type AnyMethod = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** A decorator that replaces a method, told apart by its arguments: a descriptor comes third under the older form. */
export function methodDecorator(name: string, replace: (method: AnyMethod) => AnyMethod): MethodDecorator {
  const decorate = (first: unknown, second: unknown, descriptor?: TypedPropertyDescriptor<AnyMethod>): unknown => {
    if (typeof first === 'function' && isMethodContext(second)) return replace(first as AnyMethod);
    if (typeof descriptor?.value === 'function') return { ...descriptor, value: replace(descriptor.value) };
    throw new TierkitError('ERR_CACHE_OPTIONS', `@${name} decorates methods only`, { details: { option: name } });
  };
  return decorate as MethodDecorator;
}

function isMethodContext(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'method';
}
