import { type Logger } from '@tierkit/core';
import { scan, type RedisConnection } from '@tierkit/redis';
import { unlinkGeneration } from './redis-scripts/unlink-generation.ts';
import type { ScopeAddress } from '../scope-address.ts';

/** Cleared scopes that wait for a pass at the most; of more, the entries go when their time to live is over. */
const MAX_PENDING = 10_000;
/** Ended generations that are remembered of a scope: the latest, under which the most entries are. */
const MAX_GENERATIONS = 64;
/** Scripts that are under way at once, so that others' commands find their turn. */
const AT_ONCE = 50;

/**
 * Frees the memory of cleared entries in the background. They do not exist for any reader already, and expire anyway.
 *
 * A pass scans the keys of Redis once for all scopes that were cleared since the last one. An entry goes only if its
 * generation is one that ended, so what was written after the clear is safe.
 */
export class Reclaimer {
  readonly #redis: RedisConnection;
  readonly #delayMs: number;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  #pending = new Map<string, { scope: ScopeAddress; generations: Buffer[] }>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(redis: RedisConnection, delayMs: number, logger: Logger) {
    this.#redis = redis;
    this.#delayMs = delayMs;
    this.#logger = logger;
  }

  add(scope: ScopeAddress, endedGeneration: Buffer): void {
    if (this.#abort.signal.aborted || this.#pending.size >= MAX_PENDING) return;
    const known = this.#pending.get(scope.generationKey);
    if (known === undefined) this.#pending.set(scope.generationKey, { scope, generations: [endedGeneration] });
    else {
      known.generations.push(endedGeneration);
      if (known.generations.length > MAX_GENERATIONS) known.generations.shift();
    }
    this.#schedule();
  }

  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#pending.clear();
  }

  #schedule(): void {
    if (this.#running || this.#timer !== undefined || this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#run(), this.#delayMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#running = true;
    const cleared = [...this.#pending.values()];
    this.#pending = new Map();
    try {
      await this.#pass(cleared);
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.#logger.warn({ error: String(error) }, 'cleared entries are left to expire');
    } finally {
      this.#running = false;
      if (this.#pending.size > 0) this.#schedule();
    }
  }

  async #pass(cleared: readonly { scope: ScopeAddress; generations: readonly Buffer[] }[]): Promise<void> {
    const prefixes = cleared.map(({ scope }) => scope.prefix);
    const match = `${commonPrefix(prefixes)}*`;
    const targets = cleared.map(({ scope, generations }) => ({ scope, ended: Buffer.concat(generations) }));
    const scopes = new Map(targets.filter(({ scope }) => scope.scoped).map((one) => [one.scope.generationKey, one]));
    const roots = targets.filter(({ scope }) => !scope.scoped);
    let freed = 0;
    for await (const keys of scan(this.#redis, { match, count: 500, signal: this.#abort.signal })) {
      const unlinks: (() => Promise<boolean>)[] = [];
      for (const key of keys) {
        const end = key.indexOf('}');
        for (const owner of end === -1 ? roots : [scopes.get(key.slice(0, end + 1))]) {
          if (owner === undefined || !key.startsWith(owner.scope.prefix)) continue;
          const args = { endedGenerations: owner.ended };
          unlinks.push(() => unlinkGeneration.run(this.#redis, { entry: key }, args));
        }
      }
      for (let batch = unlinks.splice(0, AT_ONCE); batch.length > 0; batch = unlinks.splice(0, AT_ONCE)) {
        for (const unlinked of await Promise.all(batch.map((unlink) => unlink()))) if (unlinked) freed++;
      }
    }
    this.#logger.debug({ freed, scopes: cleared.length }, 'cleared entries were reclaimed');
  }
}

function commonPrefix(names: readonly string[]): string {
  let prefix = names[0] ?? '';
  for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}
