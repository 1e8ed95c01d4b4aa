import { TierkitError, type Clock } from '@tierkit/core';
import type { RedisConnection } from '@tierkit/redis';
import Redlock, { ExecutionError, ResourceLockedError, type Lock, type VotingClient } from 'redlock';
import { isDoubtful, lockError } from '../errors.ts';
import { Withdrawals } from '../withdrawals.ts';

/** Votes that a majority of nodes has given. */
export type Votes = Lock;

/**
 * One round of voting over independent Redises, by redlock without its retries: they keep the votes of a round that failed, with
 * which contenders block each other.
 */
export class Ballot {
  readonly #redlock: Redlock;
  readonly #late: Withdrawals;

  constructor(nodes: readonly RedisConnection[], clock: Clock) {
    const clients = nodes.map((node) => this.#client(node));
    this.#redlock = new Redlock(clients, { retryCount: 0, driftFactor: 0 });
    this.#late = new Withdrawals(clock);
  }

  /**
   * @returns `undefined` if others have the votes; then those that were given are taken back
   * @throws {TierkitError} `ERR_LOCK_NO_QUORUM`
   */
  async hold(key: string, ttlMs: number): Promise<Votes | undefined> {
    try {
      return await this.#redlock.acquire([key], ttlMs);
    } catch (error) {
      await requireQuorum(error);
      return undefined;
    }
  }

  /** @returns `undefined` if most votes are gone @throws {TierkitError} `ERR_LOCK_NO_QUORUM` */
  async extend(votes: Votes, ttlMs: number): Promise<Votes | undefined> {
    try {
      return await this.#redlock.extend(votes, ttlMs);
    } catch (error) {
      await requireQuorum(error);
      return undefined;
    }
  }

  /** @returns whether most votes were there until now @throws {TierkitError} `ERR_LOCK_NO_QUORUM` */
  async release(votes: Votes): Promise<boolean> {
    try {
      await this.#redlock.release(votes);
      return true;
    } catch (error) {
      await requireQuorum(error);
      return false;
    }
  }

  /** Ends what goes on in the background. */
  close(): Promise<void> {
    return this.#late.close();
  }

  /** What redlock calls, with the deadlines of the connection. */
  #client(node: RedisConnection): VotingClient {
    return {
      evalsha: (sha, keyCount, rest) =>
        node
          .execute((client) => client.evalsha(sha, keyCount, ...rest))
          .catch((error: unknown) => {
            if (isDoubtful(error) && sha === this.#redlock.scripts.acquireScript.hash) this.#takeBack(node, rest);
            // It looks for the word at the beginning.
            if (error instanceof TierkitError && error.details['reply'] === 'NOSCRIPT') throw new Error('NOSCRIPT');
            throw error;
          }),
      eval: (script, keyCount, rest) => node.execute((client) => client.eval(script, keyCount, ...rest)),
    };
  }

  /** A vote that nobody knows of was not counted, and would stand in the way of the next. */
  #takeBack(node: RedisConnection, [key = '', value = '', ttlMs = 0]: readonly (string | number)[]): void {
    const { releaseScript } = this.#redlock.scripts;
    const takeBack = (): Promise<unknown> => node.execute((client) => client.eval(releaseScript.value, 1, key, value));
    this.#late.add(takeBack, Number(ttlMs), true);
  }
}

/** Passes only if most nodes answered, if with no: then the lock is somebody's. */
async function requireQuorum(error: unknown): Promise<void> {
  if (!(error instanceof ExecutionError)) throw error;
  // A lock that redlock takes for expired is not voted on.
  const attempt = await error.attempts[0];
  if (attempt === undefined) return;
  const refusals = [...attempt.votesAgainst.values()];
  const answered = attempt.votesFor.size + refusals.filter((refusal) => refusal instanceof ResourceLockedError).length;
  if (answered >= attempt.quorumSize) return;
  throw noQuorum(answered, attempt.quorumSize, refusals);
}

export function noQuorum(answered: number, needed: number, errors: readonly unknown[]): Error {
  return lockError(
    'ERR_LOCK_NO_QUORUM',
    `${answered} of at least ${needed} Redises answered`,
    { answered, needed, applied: 'unknown' },
    errors.find((error) => !(error instanceof ResourceLockedError)),
  );
}
