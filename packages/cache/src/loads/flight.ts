import type { Level1Tags } from '../level1/level1-tags.ts';
import type { Loader } from './loader-context.ts';
import type { LoadedValue } from '../scope-state.ts';
import type { LoadPlan } from '../tier-policy.ts';

/** The entry that a load is to replace. */
export interface StaleValue extends LoadedValue {
  readonly payload: Buffer;
  /** In Redis: what is stored of it again must be as well. */
  readonly encrypted: boolean;
  readonly tags: Level1Tags | undefined;
  /** As they are stored. */
  readonly tagNames: readonly string[];
  /** On the local monotonic clock: from then on it is stale; before, its replacement is ahead of time. */
  readonly ttlEndMs: number;
}

/** What a caller that loads several names knows, and wants to know. */
export interface LoadHints {
  /** The second level could not be asked just now: the call has spent its deadline. */
  readonly away?: boolean;
  /** Called when somebody else loads the name, here or in another process, before the wait for it. */
  readonly onHeld?: () => void;
  /** Called when the second level could not be asked for the right to load. */
  readonly onAway?: () => void;
  /** One of several that are asked for in one call, which is timed as a whole; a `batch` has one loader for all. */
  readonly partOf?: 'several' | 'batch';
}

export interface LoadRequest extends LoadHints {
  readonly name: string;
  readonly loader: Loader;
  readonly policy: LoadPlan;
  /** An entry that stays fresh for no longer than this is loaded anew; above 0 for a refresh ahead of time. */
  readonly hitAboveMs: number;
}

/** A load in this process that callers of one name share. */
export class Flight {
  readonly request: LoadRequest;
  /** The scope's when its loader began: a tag that was invalidated since may be one of what it loads. */
  tagMoves: number;
  /** Whether its loader runs here; otherwise it waits for another process. */
  loading = false;
  /** Whether it is counted how the caller that began it was answered. */
  counted = false;
  /** It ended with something stale, for want of something better. */
  endedStale = false;
  /** Callers who would rather wait than have the stale value at once. */
  waiting = 0;
  /** The shortest that a caller allows. */
  graceMs: number;
  /** The name was changed: what was found before may be older. */
  detached = false;
  readonly promise: Promise<LoadedValue>;
  /** What callers may have instead of the loaded value; a change of the name takes it away. */
  stale: StaleValue | undefined;
  /** Set when the entry that was found is soon to be stale: what a refresh asks for. */
  refreshAboveMs: number | undefined;
  /** Of all callers so far, as they are stored. */
  tags: readonly string[];
  /** Set once one of the callers says so, as long as the value is not stored yet. */
  sensitive: boolean;
  resolve!: (value: LoadedValue) => void;
  reject!: (error: unknown) => void;
  #looked = false;
  #waiting: (() => void)[] = [];
  #abort: AbortController | undefined;

  constructor(request: LoadRequest, tagMoves: number) {
    this.request = request;
    this.tagMoves = tagMoves;
    this.tags = request.policy.tags;
    this.sensitive = request.policy.sensitive;
    this.graceMs = request.policy.graceMs;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Aborted when the load is given up. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** A caller who joins, with what it wants done with the value. */
  join({ tags, sensitive, graceMs }: LoadPlan): void {
    this.graceMs = Math.min(this.graceMs, graceMs);
    if (sensitive) this.sensitive = true;
    if (tags.length > 0) this.tags = [...new Set([...this.tags, ...tags])];
  }

  detach(): void {
    this.detached = true;
    this.stale = undefined;
  }

  abort(reason: unknown): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }

  /** Resolves once it is known whether there is a stale value. */
  looked(): Promise<void> {
    return this.#looked ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  look(): void {
    this.#looked = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
