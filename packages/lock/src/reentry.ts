import { AsyncLocalStorage } from 'node:async_hooks';
import { lockError } from './errors.ts';
import type { HeldLock, Lock } from './lock.ts';
import type { Shape } from './stores/lock-store.ts';

interface Hold {
  readonly lock: HeldLock;
  readonly shape: Shape;
  users: number;
}

type Holds = ReadonlyMap<string, Hold>;

/** Lets nested calls share the hold of the call around them; it ends with the last of them. */
export class Reentry {
  readonly #holds = new AsyncLocalStorage<Holds>();

  async run<T>(
    resource: string,
    shape: Shape,
    acquire: () => Promise<HeldLock>,
    fn: (lock: Lock) => Promise<T> | T,
  ): Promise<T> {
    const outer = this.#holds.getStore();
    const known = outer?.get(resource);
    if (known?.lock.held === true) {
      if (shape === 'x' && known.shape !== 'x') {
        throw lockError('ERR_LOCK_OPTIONS', 'a lock that is held in shared mode cannot be entered in exclusive mode');
      }
      return this.#use(known, () => fn(known.lock));
    }
    const hold = { lock: await acquire(), shape, users: 0 };
    return this.#use(hold, () => this.#holds.run(new Map([...(outer ?? []), [resource, hold]]), () => fn(hold.lock)));
  }

  #use<T>(hold: Hold, fn: () => Promise<T> | T): Promise<T> {
    hold.users++;
    return finishedBy(() => this.#leave(hold), fn);
  }

  /** @throws {TierkitError} `ERR_LOCK_LOST`, to each that ends after the loss */
  async #leave(hold: Hold): Promise<void> {
    hold.users--;
    if (hold.users === 0) return hold.lock[Symbol.asyncDispose]();
    if (!hold.lock.held) hold.lock.assertHeld();
  }
}

/** Runs `fn` with a lock that is released afterwards. What `fn` throws goes before what the lock does. */
export function useLock<T>(lock: HeldLock, fn: (lock: Lock) => Promise<T> | T): Promise<T> {
  return finishedBy(
    () => lock[Symbol.asyncDispose](),
    () => fn(lock),
  );
}

// Without `await using`, which costs several helper calls where it has to be compiled.
async function finishedBy<T>(finish: () => Promise<void>, fn: () => Promise<T> | T): Promise<T> {
  let result: T;
  try {
    result = await fn();
  } catch (error) {
    await finish().catch(() => undefined);
    throw error;
  }
  await finish();
  return result;
}
