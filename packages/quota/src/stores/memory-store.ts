import type { Clock } from '@tierkit/core';
import { closedError } from '../errors.ts';
import { MemorySubject } from './memory-subject.ts';
import type { HeldRow, HistoryRequest, LimitChange, QuotaStore, StoreReply, StoreRequest } from './quota-store.ts';

/** How many other subjects a call looks at, to forget what they no longer need. */
const LOOKED_AT = 2;

/** Quotas in this process, by the rules of Redis. */
export class MemoryStore implements QuotaStore {
  readonly source = 'memory';
  readonly moment = 0;
  readonly #clock: Clock;
  readonly #subjects = new Map<string, MemorySubject>();
  #round = this.#subjects.entries();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async decide(request: StoreRequest): Promise<StoreReply> {
    return this.#subject(request.subject).decide(request, this.#now());
  }

  async findHold(subject: string, id: string): Promise<readonly HeldRow[] | undefined> {
    return this.#subject(subject).findHold(id, this.#now());
  }

  async history({ subject, period, windows, metrics }: HistoryRequest): Promise<readonly (readonly number[])[]> {
    const found = this.#subject(subject);
    return windows.map((window) => metrics.map((metric) => found.usedIn(period, window, metric)));
  }

  async storeLimits(subject: string, changes: readonly LimitChange[]): Promise<void> {
    this.#subject(subject).storeLimits(changes);
  }

  async confirmTold(): Promise<void> {}

  async ready(): Promise<void> {
    this.#requireOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subjects.clear();
  }

  /** For tests: how many subjects take memory. */
  get size(): number {
    return this.#subjects.size;
  }

  #subject(name: string): MemorySubject {
    this.#requireOpen();
    this.#forget();
    let subject = this.#subjects.get(name);
    if (subject === undefined) {
      subject = new MemorySubject();
      this.#subjects.set(name, subject);
    }
    subject.expire(this.#now());
    return subject;
  }

  #forget(): void {
    for (let i = 0; i < LOOKED_AT; i++) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#subjects.entries();
        return;
      }
      const [name, subject] = next.value;
      subject.expire(this.#now());
      if (subject.empty) this.#subjects.delete(name);
    }
  }

  #now(): number {
    return Math.floor(this.#clock.now());
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError();
  }
}
