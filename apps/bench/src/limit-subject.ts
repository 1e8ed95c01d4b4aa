import type { Absent, Subject } from './subject.ts';

/** What every limiter of a scenario is told: so many per minute for each key. */
interface LimitSetup {
  /** The private server of this run, on loopback. */
  readonly port: number;
  readonly limit: number;
}

/** A limiter that is ready to be measured. */
export interface OpenLimitSubject {
  /** Takes one; resolves to whether it was allowed. */
  consume(key: string): Promise<boolean>;
  close(): Promise<unknown>;
}

export interface LimitSubject extends Pick<Subject, 'name' | 'role'> {
  open(setup: LimitSetup): Promise<OpenLimitSubject | Absent>;
}
