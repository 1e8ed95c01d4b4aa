import { setTimeout as timeout } from 'node:timers/promises';

/** Waits so many milliseconds, and no less: a timer of Node alone may be early by parts of one. */
export async function sleep<T = void>(ms: number, value?: T): Promise<T> {
  const endMs = performance.now() + ms;
  await timeout(ms);
  for (let leftMs = endMs - performance.now(); leftMs > 0; leftMs = endMs - performance.now()) {
    await timeout(Math.ceil(leftMs));
  }
  return value as T;
}
