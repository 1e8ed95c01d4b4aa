import { streamPart } from './stream-part.ts';

/** What else an admin can operate, besides the cache: whatever of it there is. */
export interface AdminParts {
  readonly locks?: LocksPart | undefined;
  /** Those that there are when somebody asks. */
  readonly limiters?: (() => Iterable<LimiterPart>) | undefined;
  readonly quotas?: (() => Iterable<QuotaPart>) | undefined;
  /** Durable channels. */
  readonly streams?: (() => Iterable<StreamSource>) | undefined;
  /** Whatever else works off what was put in. */
  readonly queues?: (() => Iterable<QueuePart>) | undefined;
}

/** `createLocks` of @tierkit/lock returns one. */
export interface LocksPart {
  stats(): Readonly<Record<'held' | 'waiting' | 'acquired' | 'waited' | 'timeouts' | 'lost', number>>;
  /** One page of what somebody holds or waits for, in all processes. */
  list(options: { readonly limit: number; readonly cursor?: string | undefined }): Promise<{
    readonly locks: readonly (LockName & {
      readonly holders: number;
      readonly waiting: number;
      /** Whether no lock has written what is there, so that nobody can take it until it is released by force. */
      readonly foreign: boolean;
    })[];
    readonly cursor?: string;
  }>;
  inspect(name: LockName): Promise<{
    readonly holders: readonly {
      readonly owner: string;
      readonly mode: 'exclusive' | 'shared';
      readonly token: bigint | undefined;
      readonly ttlMs: number;
    }[];
    readonly waiters: readonly { readonly owner: string; readonly mode: 'exclusive' | 'shared' }[];
    readonly waiting: number;
    readonly lastToken: bigint;
  }>;
  /** @returns whether anybody had it */
  forceRelease(name: LockName): Promise<boolean>;
}

interface LockName {
  readonly kind: 'lock' | 'semaphore';
  /** As it stands in Redis. */
  readonly name: string;
}

/** `createLimiter` of @tierkit/rate-limit returns one. */
export interface LimiterPart {
  readonly name: string;
  readonly policies: readonly {
    readonly name: string;
    readonly kind: string;
    readonly limit: number;
    readonly perMs: number;
    readonly worstPerWindow: number;
  }[];
  peek(subject: string): Promise<{
    readonly allowed: boolean;
    readonly limit: number;
    readonly remaining: number;
    readonly resetMs: number;
    readonly retryAfterMs: number;
    readonly policy: string | undefined;
    readonly source: string;
    readonly policies: readonly {
      readonly name: string;
      readonly limit: number;
      readonly remaining: number;
      readonly resetMs: number;
      readonly retryAfterMs: number;
    }[];
  }>;
  reset(subject: string): Promise<void>;
}

/** A quota of @tierkit/quota, under a name. */
export interface QuotaPart {
  readonly name: string;
  usage(subject: string): Promise<QuotaUsages>;
  /** Lets a subject begin its current periods anew. */
  reset(subject: string): Promise<QuotaUsages>;
}

/** By metric and period. */
export type QuotaUsages = Readonly<Record<string, Readonly<Record<string, QuotaUsage>>>>;

interface QuotaUsage {
  readonly used: number;
  readonly held: number;
  readonly limit: number;
  readonly remaining: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly resetMs: number;
}

/** Something that works off what was put in: a durable stream with its groups, or a write-behind queue. */
export interface QueuePart {
  readonly name: string;
  readonly kind: 'stream' | 'write-behind';
  /** How far it is. */
  state(): Promise<QueueState>;
  readonly deadLetters: {
    /** The oldest first. @param options.after the id of the last that is known */
    list(options: { readonly after?: string; readonly limit: number }): Promise<readonly QueueDeadLetter[]>;
    /** @param ids those to put back @default all @returns how many there were */
    replay(ids?: readonly string[]): Promise<number>;
    /** @param ids those to discard @default all @returns how many there were */
    remove(ids?: readonly string[]): Promise<number>;
  };
}

export interface QueueState {
  /** What waits to be worked off; absent where nobody can tell. */
  readonly waiting?: number;
  /** Handed out and not finished. */
  readonly pending: number;
  readonly deadLetters: number;
  /** The age of the oldest that waits, in milliseconds; absent where nobody can tell. */
  readonly oldestMs?: number;
  /** The same of each group, if there are groups. */
  readonly groups?: readonly { readonly name: string; readonly waiting?: number; readonly pending: number }[];
}

export interface QueueDeadLetter {
  readonly id: string;
  readonly group?: string;
  readonly attempts: number;
  readonly reason: string;
  /** The message or value itself, shown to those who may read values; absent if it cannot be read. */
  readonly payload?: unknown;
}

/** A durable channel: `bus.streams()` of @tierkit/bus lists them. */
export interface StreamSource {
  readonly name: string;
  readonly groups: () => Promise<
    readonly {
      readonly name: string;
      readonly waiting: number | undefined;
      readonly pending: number;
      /** Of the whole channel. */
      readonly deadLetters: number;
    }[]
  >;
  readonly deadLetters: {
    list(options: { readonly after?: string; readonly limit: number }): Promise<
      readonly {
        readonly id: string;
        readonly group: string;
        readonly attempts: number;
        readonly reason: string;
        readonly event?: unknown;
      }[]
    >;
    replay(ids?: readonly string[]): Promise<number>;
    remove(ids?: readonly string[]): Promise<number>;
  };
}

/** All of these parts, what was given first before the others. */
export function joinParts(...all: readonly AdminParts[]): Required<Omit<AdminParts, 'locks' | 'streams'>> & AdminParts {
  return {
    // Asked for when needed: a kit may open it only then.
    get locks() {
      for (const { locks } of all) if (locks !== undefined) return locks;
      return undefined;
    },
    limiters: () => all.flatMap(({ limiters }) => Array.from(limiters?.() ?? [])),
    quotas: () => all.flatMap(({ quotas }) => Array.from(quotas?.() ?? [])),
    queues: () => {
      const streams = all.flatMap(({ streams: durable }) => Array.from(durable?.() ?? [], streamPart));
      return streams.concat(all.flatMap(({ queues }) => Array.from(queues?.() ?? [])));
    },
  };
}
