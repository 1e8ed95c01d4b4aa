/** Where the read values lie before the measurement. */
export type Level =
  /** In process. */
  | 'l1'
  /** In Redis, with nothing kept in process. */
  | 'l2'
  /** In Redis, with an in-process level too small for the keys in turn: each read goes to Redis and fills it. */
  | 'two-tier';

export interface Setup {
  readonly level: Level;
  readonly operation: 'get' | 'getOrSet';
  /** The private server of this run, on loopback. */
  readonly port: number;
  /** How many values the in-process level may hold. */
  readonly maxEntries: number;
  /** What every value is stored with. */
  readonly tags: readonly string[];
}

/** A load that a hit never calls. */
export type Load = () => Promise<unknown>;

/** A cache that is ready to be measured. */
export interface OpenSubject {
  /** The measured call; `load` is for the operation `getOrSet`. */
  read(key: string, load: Load): Promise<unknown>;
  /** The values of several keys in one call, for those that have it. */
  readMany?(keys: readonly string[]): Promise<readonly unknown[]>;
  /** Stores a value where the level says. */
  write(key: string, value: unknown): Promise<unknown>;
  /** Ends every connection and timer. */
  close(): Promise<unknown>;
}

/** Why a subject does not take part in a scenario. */
export interface Absent {
  readonly absent: string;
}

/** One library in one configuration, or what no library can beat. */
export interface Subject {
  readonly name: string;
  readonly role: 'limit' | 'ours' | 'peer';
  open(setup: Setup): Promise<OpenSubject | Absent>;
}
