import type { RedisConnection } from '@tierkit/redis';
import { lockError, unavailable } from '../errors.ts';
import { nextFenceScript, raiseFenceScript } from './fence-scripts.ts';
import { majority } from './majority.ts';
import { Ballot, type Votes } from './votes.ts';
import type { Attendance, LockRequest, LockState, LockStore, Taking } from '../stores/lock-store.ts';
import { RedisStore, type RedisStoreOptions } from '../stores/redis-store.ts';

interface Hold {
  votes: Votes;
  /** Of the turn on the first node; `undefined` if it could not be asked. */
  readonly turn: string | undefined;
}

const RETRY_MS = 10;
const RETRY_SPREAD_MS = 60;

/**
 * A lock is held by whom a majority of independent Redises has given its vote.
 *
 * Contenders line up at the first node, with a lock of its own for whose turn it is, and vote one after the other. While that
 * node is away they vote as they come, after pauses of random length; then nobody is woken and there is no order, but no two
 * hold the lock.
 */
export class QuorumStore implements LockStore {
  readonly #nodes: readonly RedisConnection[];
  readonly #prefix: string;
  readonly #turns: RedisStore;
  readonly #ballot: Ballot;
  readonly #holds = new Map<string, Hold>();

  constructor(nodes: readonly RedisConnection[], options: RedisStoreOptions) {
    this.#nodes = nodes;
    this.#prefix = options.prefix;
    this.#turns = new RedisStore(nodes[0] as RedisConnection, { ...options, prefix: `${options.prefix}turn:` });
    this.#ballot = new Ballot(nodes);
  }

  async take(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking> {
    const { resource, owner, shape, ttlMs } = request;
    if (shape !== 'x') throw lockError('ERR_LOCK_OPTIONS', 'a quorum has neither shared mode nor semaphores');
    // An error means that the first node is away.
    const turn = await this.#turns.take(request, manner).catch(() => undefined);
    if (turn !== undefined && turn.token === undefined) return turn;
    try {
      const votes = await this.#ballot.hold(this.#key(resource, 'vote'), ttlMs);
      if (votes === undefined) {
        if (manner === 'try') await this.#turns.withdraw(request).catch(() => undefined);
        return { token: undefined, retryInMs: RETRY_MS + Math.random() * RETRY_SPREAD_MS };
      }
      this.#holds.set(owner, { votes, turn: turn?.token });
      return { token: await this.#nextToken(resource) };
    } catch (error) {
      await this.withdraw(request).catch(() => undefined);
      throw unavailable(error);
    }
  }

  async extend(request: LockRequest): Promise<boolean> {
    const hold = this.#holds.get(request.owner);
    if (hold === undefined) return false;
    const turn = hold.turn === undefined ? undefined : this.#turns.extend(request, hold.turn).catch(() => undefined);
    const [votes] = await Promise.all([this.#ballot.extend(hold.votes, request.ttlMs), turn]);
    if (votes === undefined) return false;
    hold.votes = votes;
    return true;
  }

  release(request: LockRequest): Promise<boolean> {
    return this.withdraw(request);
  }

  /** Votes first, so that they are free when the next has its turn. */
  async withdraw(request: LockRequest): Promise<boolean> {
    const hold = this.#holds.get(request.owner);
    this.#holds.delete(request.owner);
    try {
      return hold !== undefined && (await this.#ballot.release(hold.votes));
    } finally {
      // A turn at a node that is away runs out.
      await this.#turns.withdraw(request).catch(() => undefined);
    }
  }

  attend(request: LockRequest, wake: () => void): Attendance {
    return this.#turns.attend(request, wake);
  }

  /** As the first node sees it: holders of votes that were given while it was away are not shown. */
  async inspect(resource: string): Promise<LockState> {
    const fence = this.#key(resource, 'fence');
    const reads = this.#nodes.map((node) => node.execute((client) => client.get(fence)));
    const [state, fences] = await Promise.all([this.#turns.inspect(resource), majority(reads)]);
    const lastToken = greatest(fences.map((read) => BigInt(read ?? 0)));
    const holders = state.holders.map(({ owner, mode, ttlMs }) => ({ owner, mode, ttlMs, token: lastToken }));
    return { ...state, lastToken, holders };
  }

  async forceRelease(resource: string): Promise<boolean> {
    const vote = this.#key(resource, 'vote');
    const removed = await majority(this.#nodes.map((node) => node.execute((client) => client.del(vote))));
    await this.#turns.forceRelease(resource).catch(() => undefined);
    return removed.includes(1);
  }

  async ready(timeoutMs: number): Promise<void> {
    await majority(this.#nodes.map((node) => node.ready(timeoutMs)));
  }

  close(): Promise<void> {
    return this.#turns.close();
  }

  #key(resource: string, part: 'vote' | 'fence'): string {
    return `${this.#prefix}${resource}:${part}`;
  }

  /** Above all tokens before: those were known to a majority, of which any other majority asks one. */
  async #nextToken(resource: string): Promise<string> {
    const fence = this.#key(resource, 'fence');
    const possible = await majority(this.#nodes.map((node) => nextFenceScript.run(node, { fence }, {})));
    const token = String(greatest(possible));
    await majority(this.#nodes.map((node) => raiseFenceScript.run(node, { fence }, { token })));
    return token;
  }
}

const greatest = (tokens: readonly bigint[]): bigint =>
  tokens.reduce((most, token) => (token > most ? token : most), 0n);
