import type { Absent, Subject } from './subject.ts';

/** A cache whose entries have one tag, or lie in one scope. */
export interface OpenTagSubject {
  write(key: string, value: unknown, tag: string): Promise<unknown>;
  read(key: string): Promise<unknown>;
  /** The measured call: of the tag, or of all that was written. */
  invalidate(tag: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** One library in one configuration, with Redis and nothing kept in process. */
export interface TagSubject {
  readonly name: string;
  readonly role: Subject['role'];
  /** The most entries for which it ends in time. @default any number */
  readonly most?: number;
  /**
   * Entries are made by copying one in Redis, unless what the library notes of each elsewhere cannot be copied: then each
   * is written, which takes long.
   */
  readonly written?: true;
  open(port: number): Promise<OpenTagSubject | Absent>;
}
