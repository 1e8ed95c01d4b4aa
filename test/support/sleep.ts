import { setTimeout as timeout } from 'node:timers/promises';

/**
 * Waits so many milliseconds, and no less: a timer alone counts from where the turn of the event loop began in which it was
 * set, so that it is early by what that turn took before, a collection of garbage for one.
 */
export async function sleep<T = void>(ms: number, value?: T): Promise<T> {
  const endMs = performance.now() + ms;
  await timeout(ms);
  for (let leftMs = endMs - performance.now(); leftMs > 0; leftMs = endMs - performance.now()) {
    await timeout(Math.ceil(leftMs));
  }
  return value as T;
}
