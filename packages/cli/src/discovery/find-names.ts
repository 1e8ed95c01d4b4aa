import { scan, type RedisConnection } from '@tierkit/redis';
import type { Progress } from '../output/progress.ts';

export interface Search {
  readonly redis: RedisConnection;
  /** What Redis matches keys with. */
  readonly match: string;
  /** What a key stands for; undefined for a key of something else. */
  readonly nameOf: (key: string) => string | undefined;
  /** Names that are kept. */
  readonly most: number;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

export interface FoundNames {
  /** How many keys each name has, in the order of names. */
  readonly names: ReadonlyMap<string, number>;
  /** Whether there were more names than were kept. */
  readonly more: boolean;
}

/** What the keys in Redis stand for: a walk over all keys, in steps that do not hold up the server. */
export async function findNames({ redis, match, nameOf, most, signal, progress }: Search): Promise<FoundNames> {
  const keys = new Map<string, number>();
  let more = false;
  let seen = 0;
  for await (const batch of scan(redis, { match, signal })) {
    seen += batch.length;
    progress?.show(seen);
    for (const key of batch) {
      const name = nameOf(key);
      if (name === undefined) continue;
      const count = keys.get(name);
      if (count === undefined && keys.size >= most) more = true;
      else keys.set(name, (count ?? 0) + 1);
    }
  }
  progress?.end();
  return { names: new Map([...keys].sort(([a], [b]) => (a < b ? -1 : 1))), more };
}
