export { createLocks } from './create-locks.ts';
export type { LockErrorCode } from './errors.ts';
export type { Lock } from './lock.ts';
export type { LockSet } from './lock-set.ts';
export type { Locks, LocksStats } from './locks.ts';
export type { AcquireOptions, LocksOptions, RequestOptions, TryOptions } from './options.ts';
export type { Semaphore } from './semaphore.ts';
export type { HolderState, LockState, WaiterState } from './stores/lock-store.ts';
