import { noQuorum } from './votes.ts';

/** The first results of more than half of the promises. @throws {TierkitError} `ERR_LOCK_NO_QUORUM` as soon as so many cannot come */
export function majority<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const needed = Math.floor(promises.length / 2) + 1;
  return new Promise((resolve, reject) => {
    const results: T[] = [];
    const errors: unknown[] = [];
    for (const promise of promises) {
      promise.then(
        (result) => {
          results.push(result);
          if (results.length === needed) resolve(results);
        },
        (error: unknown) => {
          errors.push(error);
          if (errors.length > promises.length - needed) reject(noQuorum(results.length, needed, errors));
        },
      );
    }
  });
}
