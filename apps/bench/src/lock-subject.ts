/** Gives a lock back. */
type Release = () => Promise<unknown>;

/** A lock that is ready to be measured. */
export interface OpenLock {
  /** Waits for the lock, however long that takes. */
  take(name: string): Promise<Release>;
  close(): Promise<unknown>;
}

/** One lock library, or what no lock in Redis can beat. */
export interface LockSubject {
  readonly name: string;
  readonly role: 'limit' | 'ours' | 'peer';
  /** @param ports of independent servers: one, or several for a quorum */
  open(ports: readonly number[]): Promise<OpenLock>;
}
