import type { Load, Subject } from './subject.ts';

/** A cache with an in-process level, where it has one, before Redis. It ends with its process. */
export interface OpenLoadingSubject {
  getOrSet(key: string, load: Load): Promise<unknown>;
}

/** One library as it is asked for what may have to be loaded. */
export interface LoadingSubject {
  readonly name: string;
  readonly role: Subject['role'];
  open(port: number): Promise<OpenLoadingSubject>;
}
