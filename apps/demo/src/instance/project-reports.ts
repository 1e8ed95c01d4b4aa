import { Redis } from 'ioredis';
import type { createTierkit } from 'tierkit';
import { monotonicMs } from './change-watch.ts';

/** One analysis of a whole project: when it had the lock, of the system's monotonic clock, and what became of its result. */
export interface Turn {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly token: bigint;
  readonly saved: boolean;
}

export interface LockView {
  /** Names of instances. */
  readonly holders: readonly string[];
  readonly waiters: readonly string[];
}

type Locks = ReturnType<typeof createTierkit>['locks'];
type Lock = Awaited<ReturnType<Locks['acquire']>>;

const SAVE_UNLESS_OVERTAKEN = `
local known = redis.call('HGET', KEYS[1], 'fence') or ''
if #known > #ARGV[1] or (#known == #ARGV[1] and known > ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'report', ARGV[2])
return 1
`;

/** Reports on whole projects, of which one is made at a time by all instances. The only file that uses locks. */
export class ProjectReports {
  readonly #locks: Locks;
  readonly #database: Redis | undefined;
  readonly #prefix: string;
  readonly #inMemory = new Map<string, bigint>();
  #begun: Lock | undefined;

  /** @param redis stands for the database that reports are kept in; with `'memory'` they are kept here */
  constructor(locks: Locks, redis: string, prefix: string) {
    this.#locks = locks;
    this.#prefix = prefix;
    this.#database = redis === 'memory' ? undefined : new Redis(redis, { protocol: 2 });
    this.#database?.on('error', () => {});
  }

  async make(project: string, analyse: () => Promise<unknown>): Promise<Turn> {
    return this.#locks.request(nameOf(project), { ttl: '10s', timeout: '30s' }, async (lock) => {
      const fromMs = monotonicMs();
      const report = await analyse();
      const saved = await this.#save(project, lock.token, report);
      return { fromMs, untilMs: monotonicMs(), token: lock.token, saved };
    });
  }

  /** Takes the lock, and keeps it for an analysis that takes long. */
  async begin(project: string): Promise<void> {
    this.#begun = await this.#locks.acquire(nameOf(project));
  }

  /** Saves what was begun, without asking whether the lock is still held. @returns whether the database took it */
  async finish(project: string): Promise<boolean> {
    if (this.#begun === undefined) throw new Error('nothing was begun');
    const saved = await this.#save(project, this.#begun.token, {});
    await this.#begun.release();
    return saved;
  }

  async takeAway(project: string): Promise<void> {
    await this.#locks.forceRelease(nameOf(project));
  }

  async look(project: string): Promise<LockView> {
    const { holders, waiters } = await this.#locks.inspect(nameOf(project));
    return { holders: holders.map(instanceOf), waiters: waiters.map(instanceOf) };
  }

  close(): void {
    this.#database?.disconnect();
  }

  async #save(project: string, token: bigint, report: unknown): Promise<boolean> {
    if (this.#database !== undefined) {
      const key = `${this.#prefix}report:${project}`;
      return (await this.#database.eval(SAVE_UNLESS_OVERTAKEN, 1, key, String(token), JSON.stringify(report))) === 1;
    }
    if ((this.#inMemory.get(project) ?? 0n) > token) return false;
    this.#inMemory.set(project, token);
    return true;
  }
}

const nameOf = (project: string): string => `analysis:${project}`;
const instanceOf = ({ owner }: { readonly owner: string }): string => owner.split('-', 1)[0] ?? '';
