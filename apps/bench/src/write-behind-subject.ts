import type { Goals } from './goals.ts';
import type { Subject } from './subject.ts';

/** A place for writes that a sink takes later, ready to be measured. */
export interface OpenWriteBehindSubject {
  /** Resolves once Redis has the value, and knows that it is to be flushed. */
  write(key: string, value: unknown): Promise<unknown>;
  /** The value as it is cached. */
  read(key: string): Promise<unknown>;
  /** Takes all that was written to a sink that does nothing. Resolves to how many items that were. */
  flush(): Promise<number>;
  close(): Promise<unknown>;
}

export interface WriteBehindSubject extends Pick<Subject, 'name' | 'role'> {
  /** @param port of the private server of this run, on loopback */
  open(port: number): Promise<OpenWriteBehindSubject>;
}

export interface WriteBehindScenario {
  readonly name: string;
  /** About how long a value is as JSON. */
  readonly valueBytes: number;
  /** How many writes are under way at a time. */
  readonly concurrency: number;
  readonly goal: number | undefined;
  readonly goals?: Goals;
  readonly subjects: readonly WriteBehindSubject[];
}
