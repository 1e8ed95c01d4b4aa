import type { RedisInput } from '@tierkit/redis';
import type { Change, Observation } from './history.ts';

/** A mechanism that a run switches off, to show that the checker notices. */
export type Sabotage = 'token' | 'flush' | 'tags';

export interface WorkerSettings {
  readonly redis: RedisInput;
  readonly prefix: string;
  readonly name: string;
  readonly seed: number;
  readonly feedTimeoutMs: number;
  readonly sabotage: Sabotage | undefined;
}

export type ToWorker =
  | { readonly kind: 'start'; readonly settings: WorkerSettings }
  | { readonly kind: 'work'; readonly ms: number }
  /** Wait until the cache is coherent again, then tell what the first level would serve. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'worked';
      readonly changes: readonly Change[];
      readonly reads: readonly Observation[];
      readonly operations: number;
    }
  | { readonly kind: 'rested'; readonly served: Readonly<Record<string, string>>; readonly state: string };

/** The keys of a run: few, so that operations meet. */
export const SCOPES = ['session s1', 'session s2', 'project p1', 'global'] as const;
/** How long callers take it slowly at the end of a round: what went wrong then is still there to be found. */
export const CALM_MS = 500;
export const NAMES: readonly string[] = Array.from({ length: 8 }, (_, n) => (n < 4 ? `a:${n}` : `b ${n}`));
/** Three of four names have one, always the same, so that what an invalidation removes is known. */
export const TAGS = ['t 0', 't 1', 't 2'] as const;
export const tagsOf = (name: string): readonly string[] => {
  const index = NAMES.indexOf(name);
  return index % 4 === 3 ? [] : [TAGS[index % 3] ?? TAGS[0]];
};
