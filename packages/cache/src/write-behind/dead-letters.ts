import { TierkitError, type Logger } from '@tierkit/core';
import { positiveInteger } from '../options.ts';
import { addressOf, type ScopeAddress } from '../scope-address.ts';
import type { Enqueuer } from './enqueuer.ts';
import type { WriteBehindItem } from './options.ts';
import type { Letter, PendingStore, PendingWrite, QueueKeys, Revived } from './pending-store.ts';
import type { Worker } from './worker.ts';

/** A write that no flush took. */
export interface DeadLetter {
  readonly id: string;
  /** Undefined when its value cannot be read here, for want of its key for example. */
  readonly item: WriteBehindItem | undefined;
  /** The last error, as text. */
  readonly reason: string;
  /** How often it failed by itself. */
  readonly failures: number;
}

export interface ReplayOptions {
  /** @default all that there are when it begins */
  readonly ids?: readonly string[];
}

export interface Replayed {
  readonly replayed: number;
  /** Dropped, since a newer write of the key is pending. */
  readonly superseded: number;
}

export interface DeadLettersParts {
  readonly store: PendingStore;
  readonly queue: QueueKeys;
  readonly prefix: string;
  readonly logger: Logger;
  readonly enqueuer: Enqueuer;
  readonly worker: Worker;
  readonly decode: (scope: ScopeAddress, write: PendingWrite) => WriteBehindItem;
}

const PAGE = 100;

/** The writes of a queue that were given up. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;

  constructor(parts: DeadLettersParts) {
    this.#parts = parts;
  }

  async list(options: { readonly after?: string; readonly limit?: number } = {}): Promise<DeadLetter[]> {
    const { store, queue } = this.#parts;
    const { after = '', limit } = checkedOptions(options);
    if (after !== '' && !isId(after)) throw invalid('after', 'takes the id of a dead letter');
    const letters = await store.letters.list(queue, after, positiveInteger(limit, PAGE, 'limit', 10_000));
    return letters.map((letter) => {
      const { id, reason, failures } = letter;
      return { id, reason, failures, item: this.#item(letter) };
    });
  }

  async replay(options: ReplayOptions = {}): Promise<Replayed> {
    const { store, queue } = this.#parts;
    const { ids } = checkedOptions(options);
    const wanted = ids && new Set(checkedIds(ids));
    const counts = { replayed: 0, superseded: 0 };
    // What fails again meanwhile comes behind those that were there.
    let left = await store.letters.count(queue);
    for (let after = ''; left > 0;) {
      const letters = await store.letters.list(queue, after, Math.min(left, PAGE));
      for (const letter of letters) {
        after = letter.id;
        if (wanted !== undefined && !wanted.has(letter.id)) continue;
        counts[(await this.#revive(letter)) === 'revived' ? 'replayed' : 'superseded']++;
      }
      left = letters.length === 0 ? 0 : left - letters.length;
    }
    return counts;
  }

  async discard(ids: readonly string[]): Promise<number> {
    const { store, queue } = this.#parts;
    return store.letters.discard(queue, checkedIds(ids));
  }

  discardAll(): Promise<number> {
    const { store, queue } = this.#parts;
    return store.letters.discardAll(queue);
  }

  async #revive(letter: Letter): Promise<'revived' | 'superseded'> {
    const { store, queue, prefix, enqueuer, worker } = this.#parts;
    const scope = addressOf(prefix, letter.generationKey);
    let outcome: Revived = 'superseded';
    if (scope !== undefined) {
      outcome = 'closed';
      for (let tries = 0; outcome === 'closed' && tries < 3; tries++) {
        outcome = await store.revive(queue, scope, letter.write, await enqueuer.register(scope));
      }
      if (outcome === 'revived') worker.hint(scope, 1);
    }
    if (outcome === 'closed')
      throw new TierkitError('ERR_WRITE_BEHIND_UNCONFIRMED', 'the scope cannot be taken into use');
    // Between the two steps it is in both places, so that it is never in none.
    await store.letters.discard(queue, [letter.id]);
    return outcome;
  }

  #item({ generationKey, write }: Letter): WriteBehindItem | undefined {
    const { prefix, decode } = this.#parts;
    const scope = addressOf(prefix, generationKey);
    try {
      return scope && decode(scope, write);
    } catch {
      return undefined;
    }
  }
}

const ID = /^\d{1,15}-\d{1,19}$/;

function isId(id: unknown): boolean {
  return typeof id === 'string' && ID.test(id);
}

function checkedIds(ids: readonly string[]): readonly string[] {
  if (Array.isArray(ids) && ids.every(isId)) return ids;
  throw invalid('ids', 'takes a list of ids of dead letters');
}

function checkedOptions<T extends object>(options: T): T {
  if (typeof options === 'object' && options !== null) return options;
  throw invalid('options', 'must be an object');
}

function invalid(option: string, rule: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', `${option} ${rule}`, { details: { option } });
}
