import type { RedisConnection } from '@tierkit/redis';
import { isDoubtful, lockError, unavailable } from '../errors.ts';
import { nextFenceScript, raiseFenceScript } from './fence-scripts.ts';
import { majority } from './majority.ts';
import { Ballot, type Votes } from './votes.ts';
import type { Attendance, LockRequest, LockState, LockStore, StoredPage, Taking } from '../stores/lock-store.ts';
import { MemoryStore } from '../stores/memory-store.ts';
import { RedisStore, type RedisStoreOptions } from '../stores/redis-store.ts';
import { Withdrawals } from '../withdrawals.ts';

interface Hold {
  votes: Votes;
  /** Of the turn on the first node; `undefined` if it could not be asked. */
  readonly turn: string | undefined;
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 640;

/**
 * A lock is held by whom a majority of independent Redises has given its vote.
 *
 * Contenders line up at the first node, with a lock of its own for whose turn it is, and vote one after the other. While that
 * node is away they line up within each process only, and processes vote as they come, after pauses of random length that
 * grow; there is no order between them then, but no two hold the lock.
 */
export class QuorumStore implements LockStore {
  readonly #nodes: readonly RedisConnection[];
  readonly #prefix: string;
  readonly #turns: RedisStore;
  readonly #turnsHere: MemoryStore;
  readonly #ballot: Ballot;
  /** The last pause of owners whose vote failed. */
  readonly #pauses = new Map<string, number>();
  readonly #holds = new Map<string, Hold>();
  /** Owners whose request for a turn at the first node may yet be applied. */
  readonly #doubtful = new Set<string>();
  readonly #late: Withdrawals;

  constructor(nodes: readonly RedisConnection[], options: RedisStoreOptions) {
    this.#nodes = nodes;
    this.#prefix = options.prefix;
    this.#turns = new RedisStore(nodes[0] as RedisConnection, { ...options, prefix: `${options.prefix}turn:` });
    this.#turnsHere = new MemoryStore(options.clock);
    this.#ballot = new Ballot(nodes, options.clock);
    this.#late = new Withdrawals(options.clock);
  }

  async take(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking> {
    const { resource, owner, shape, ttlMs } = request;
    if (shape !== 'x') throw lockError('ERR_LOCK_OPTIONS', 'a quorum has neither shared mode nor semaphores');
    const turn = await this.#turn(request, manner);
    if (turn.token === undefined) {
      if (manner === 'try') this.#takeBackTurn(request);
      return turn;
    }
    try {
      const votes = await this.#ballot.hold(this.#key(resource, 'vote'), ttlMs);
      if (votes === undefined) {
        if (manner === 'try') await this.#endTurn(request);
        return { token: undefined, retryInMs: this.#pause(owner) };
      }
      this.#holds.set(owner, { votes, turn: turn.token === HERE ? undefined : turn.token });
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
      await this.#endTurn(request);
    }
  }

  attend(request: LockRequest, wake: () => void): Attendance {
    const there = this.#turns.attend(request, wake);
    const here = this.#turnsHere.attend(request, wake);
    return {
      ready: there.ready,
      leave: () => {
        there.leave();
        here.leave();
      },
    };
  }

  /** As the first node sees it: holders of votes that were given while it was away are not shown. */
  async inspect(resource: string): Promise<LockState> {
    const fence = this.#key(resource, 'fence');
    const reads = this.#nodes.map((node) => node.execute((client) => client.get(fence)));
    const [state, fences] = await Promise.all([this.#turns.inspect(resource), majority(reads)]);
    const lastToken = greatest(fences.map((read) => (/^\d{1,16}$/.test(read ?? '') ? BigInt(read ?? 0) : 0n)));
    const holders = state.holders.map(({ owner, mode, ttlMs }) => ({ owner, mode, ttlMs, token: lastToken }));
    return { ...state, lastToken, holders };
  }

  /** As the first node sees it. */
  list(limit: number, cursor: string | undefined): Promise<StoredPage | undefined> {
    return this.#turns.list(limit, cursor);
  }

  async forceRelease(resource: string): Promise<boolean> {
    const vote = this.#key(resource, 'vote');
    const removals = this.#nodes.map((node) => node.execute((client) => client.del(vote)));
    await majority(removals);
    const removed = (await Promise.allSettled(removals)).filter(
      (removal) => removal.status === 'fulfilled' && removal.value === 1,
    );
    await this.#turns.forceRelease(resource).catch(() => undefined);
    // A vote alone is what is left of a hold that has ended, or of a vote that failed.
    return 2 * removed.length > this.#nodes.length;
  }

  async ready(timeoutMs: number): Promise<void> {
    await majority(this.#nodes.map((node) => node.ready(timeoutMs)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#ballot.close(), this.#late.close(), this.#turns.close()]);
  }

  #key(resource: string, part: 'vote' | 'fence'): string {
    return `${this.#prefix}${resource}:${part}`;
  }

  /** At the first node, or in this process while that cannot be asked. */
  async #turn(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking> {
    try {
      return await this.#turns.take(request, manner);
    } catch (error) {
      if (isDoubtful(error)) this.#doubtful.add(request.owner);
      const turn = await this.#turnsHere.take(request, manner);
      return turn.token === undefined ? turn : { token: HERE };
    }
  }

  async #endTurn(request: LockRequest): Promise<void> {
    this.#pauses.delete(request.owner);
    await this.#turnsHere.withdraw(request);
    // A turn at a node that is away runs out.
    await this.#turns.withdraw(request).catch(() => undefined);
    this.#takeBackTurn(request);
  }

  #takeBackTurn(request: LockRequest): void {
    if (!this.#doubtful.delete(request.owner)) return;
    this.#late.add(() => this.#turns.withdraw(request), request.ttlMs, true);
  }

  #pause(owner: string): number {
    const pauseMs = Math.min(2 * (this.#pauses.get(owner) ?? FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    this.#pauses.set(owner, pauseMs);
    return pauseMs * (0.2 + 0.8 * Math.random());
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

/** The token of turns that were given in this process. */
const HERE = '0';
const greatest = (tokens: readonly bigint[]): bigint =>
  tokens.reduce((most, token) => (token > most ? token : most), 0n);
