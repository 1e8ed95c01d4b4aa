import type { Lock } from './lock.ts';
import type { AcquireOptions, RequestOptions, TryOptions } from './options.ts';
import type { LockState } from './stores/lock-store.ts';

type WithoutMode<Options> = Omit<Options, 'mode'>;

/** A lock that several can hold at once, up to a number; each permit is a hold of its own, with a token of its own. */
export interface Semaphore {
  readonly name: string;
  readonly permits: number;
  request<T>(fn: (permit: Lock) => Promise<T> | T): Promise<T>;
  request<T>(options: WithoutMode<RequestOptions>, fn: (permit: Lock) => Promise<T> | T): Promise<T>;
  acquire(options?: WithoutMode<AcquireOptions>): Promise<Lock>;
  tryAcquire(options?: WithoutMode<TryOptions>): Promise<Lock | undefined>;
  inspect(): Promise<LockState>;
  forceRelease(): Promise<boolean>;
}
