import { randomBytes } from 'node:crypto';
import type { EventCounter } from '@tierkit/core';
import { quotaError } from '../errors.ts';
import type { CheckedOptions } from '../definitions/check-options.ts';
import type { Decision, Item, QuotaStore, StoreReply, Verb } from '../stores/quota-store.ts';
import { reportOf, type Asked, type ChargeReport } from './charge-report.ts';
import { Thresholds } from './thresholds.ts';

/** Whose quota it is. */
export interface Party {
  readonly name: string;
  readonly encoded: string;
  readonly plan: unknown;
}

export interface Ask {
  readonly verb: Verb;
  readonly id: string;
  readonly holdTtlMs?: number;
  readonly asked: readonly Asked[];
  /** The items with the windows of an instant. */
  readonly itemsAt: (instantMs: number) => readonly Item[];
}

/** A decision and what it means to the caller. */
export type Reported = ChargeReport & { readonly decision: Decision };

const ATTEMPTS = 3;

/** Asks the store to decide, in the periods that it is now by the store's clock, and tells of thresholds. */
export class Decisions {
  readonly #options: CheckedOptions;
  readonly #store: QuotaStore;
  readonly #thresholds: Thresholds;
  /** Makes the names of calls unique. */
  readonly #name = randomBytes(9).toString('base64url');
  #calls = 0;
  readonly #counter: EventCounter;
  /** The store's clock minus ours, as far as it has mattered. */
  #offsetMs = 0;

  constructor(options: CheckedOptions, store: QuotaStore, counter: EventCounter) {
    this.#counter = counter;
    this.#options = options;
    this.#store = store;
    this.#thresholds = new Thresholds(options.onThreshold, store, options.logger);
  }

  /** The store's time as far as it is known, in milliseconds since 1970. */
  now(): number {
    return Math.floor(this.#options.clock.now() + this.#offsetMs);
  }

  /** @throws {TierkitError} `ERR_QUOTA_ID_CONFLICT`, `ERR_QUOTA_PERIOD`, `ERR_QUOTA_UNAVAILABLE` */
  async decide(party: Party, ask: Ask, since = this.#store.moment): Promise<Reported> {
    const { verb, id, holdTtlMs = 0, asked, itemsAt } = ask;
    const call = `${this.#name}${(this.#calls++).toString(36)}`;
    const request = { verb, call, subject: party.encoded, id, idTtlMs: this.#options.idTtlMs, holdTtlMs };
    let reply: StoreReply;
    let attempt = 0;
    let instantMs = this.now();
    do {
      reply = await this.#store.decide({ ...request, items: itemsAt(instantMs) }, since);
      if (reply.status === 'period') {
        this.#offsetMs = reply.nowMs - this.#options.clock.now();
        instantMs = reply.nowMs;
      }
    } while (reply.status === 'period' && ++attempt < ATTEMPTS);
    if (verb !== 'read') this.#counter.count(verb, reply.status);
    if (reply.status === 'period') {
      throw quotaError('ERR_QUOTA_PERIOD', 'The period ended each time before the store could decide');
    }
    if (reply.status === 'conflict') {
      throw quotaError('ERR_QUOTA_ID_CONFLICT', 'The id was used for another call or other amounts', { id });
    }
    const report = reportOf(party.name, reply, asked);
    this.#thresholds.tell(party, id, report.crossed);
    return { ...report, decision: reply };
  }

  /** Resolves once everybody was told of thresholds. */
  settled(): Promise<void> {
    return this.#thresholds.settled();
  }
}
