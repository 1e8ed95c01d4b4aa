import type { Absent, Subject } from './subject.ts';

/** A cache whose entries have one tag. */
export interface OpenTagSubject {
  write(key: string, value: unknown, tag: string): Promise<unknown>;
  read(key: string): Promise<unknown>;
  /** The measured call. */
  invalidate(tag: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** One library in one configuration, with Redis and nothing kept in process. */
export interface TagSubject {
  readonly name: string;
  readonly role: Subject['role'];
  /**
   * The most entries that it can be filled with in time. Entries are made by copying one in Redis, unless what the library
   * notes of each elsewhere cannot be copied: then each is written, which takes long.
   */
  readonly written?: { readonly most: number };
  open(port: number): Promise<OpenTagSubject | Absent>;
}
