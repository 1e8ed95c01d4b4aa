import type { Clock } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import { TOLERANCE, type Meter } from '../algorithms/algorithm.ts';
import type { Policy } from '../policy.ts';
import type { Decision, LimitStore, Parameters, Reading, Taking } from './limit-store.ts';

export interface MemoryStoreOptions {
  readonly policies: readonly Policy[];
  readonly clock: Clock;
  readonly maxSubjects: number;
  readonly idTtlMs: number;
}

interface Counted {
  readonly meters: readonly Meter[];
  blockedUntilUs: number;
}

interface Noted {
  readonly takenUs: number;
  readonly cost: number;
}

/** Counts in this process, on the monotonic clock; beyond `maxSubjects` the least recently used subjects are forgotten. */
export class MemoryStore implements LimitStore {
  readonly #policies: readonly Policy[];
  readonly #clock: Clock;
  readonly #idTtlUs: number;
  readonly #subjects: LRUCache<string, Counted>;
  readonly #notes: LRUCache<string, Noted>;

  constructor({ policies, clock, maxSubjects, idTtlMs }: MemoryStoreOptions) {
    this.#policies = policies;
    this.#clock = clock;
    this.#idTtlUs = idTtlMs * 1_000;
    this.#subjects = new LRUCache({ max: maxSubjects });
    this.#notes = new LRUCache({ max: maxSubjects });
  }

  consume(subject: string, parameters: Parameters, taking: Taking): Promise<Decision> {
    return Promise.resolve(this.#decide(subject, parameters, taking, true));
  }

  peek(subject: string, parameters: Parameters, taking: Taking): Promise<Decision> {
    return Promise.resolve(this.#decide(subject, parameters, taking, false));
  }

  async refund(subject: string, parameters: Parameters, { cost, id }: Taking): Promise<boolean> {
    const nowUs = this.#nowUs();
    const noted = id === undefined ? { takenUs: 0, cost } : this.#note(subject, id, nowUs);
    if (noted === undefined) return false;
    if (id !== undefined) this.#notes.delete(noteKey(subject, id));
    const counted = this.#subjects.get(subject);
    if (counted === undefined) return false;
    let changed = false;
    for (const [i, meter] of counted.meters.entries()) {
      const given = parameters[i] ?? [];
      const before = meter.used(nowUs, given);
      meter.giveBack(nowUs, given, noted.cost, noted.takenUs);
      changed ||= meter.used(nowUs, given) < before;
    }
    return changed;
  }

  async block(subject: string, _: Parameters, forMs: number): Promise<void> {
    this.#counted(subject).blockedUntilUs = this.#nowUs() + forMs * 1_000;
  }

  async reset(subject: string): Promise<void> {
    this.#subjects.delete(subject);
  }

  #decide(subject: string, parameters: Parameters, { cost, id }: Taking, counting: boolean): Decision {
    const nowUs = this.#nowUs();
    const counted = this.#subjects.get(subject) ?? this.#fresh();
    const { meters } = counted;
    const repeated = id !== undefined && this.#note(subject, id, nowUs) !== undefined;
    const blockedUs = Math.max(0, counted.blockedUntilUs - nowUs);
    const retries = meters.map((meter, i) => (repeated ? 0 : retryOf(meter, nowUs, parameters[i] ?? [], cost)));
    const allowed = repeated || (blockedUs === 0 && retries.every((retryUs) => retryUs === 0));
    if (allowed && !repeated && counting) {
      for (const [i, meter] of meters.entries()) meter.add(nowUs, parameters[i] ?? [], cost);
      this.#subjects.set(subject, counted);
      if (id !== undefined) this.#notes.set(noteKey(subject, id), { takenUs: nowUs, cost });
    }
    const readings = meters.map((meter, i): Reading => {
      const given = parameters[i] ?? [];
      const left = Math.floor((given[0] ?? 0) - meter.used(nowUs, given) + TOLERANCE);
      return { remaining: Math.max(0, left), resetUs: meter.resetUs(nowUs, given), retryUs: retries[i] ?? 0 };
    });
    return { allowed, blockedUs, readings };
  }

  #counted(subject: string): Counted {
    const known = this.#subjects.get(subject);
    if (known !== undefined) return known;
    const fresh = this.#fresh();
    this.#subjects.set(subject, fresh);
    return fresh;
  }

  #fresh(): Counted {
    return { meters: this.#policies.map(({ algorithm }) => algorithm.meter()), blockedUntilUs: 0 };
  }

  #note(subject: string, id: string, nowUs: number): Noted | undefined {
    const noted = this.#notes.get(noteKey(subject, id));
    return noted !== undefined && nowUs < noted.takenUs + this.#idTtlUs ? noted : undefined;
  }

  // Never 0, which stands for a time that is not known.
  #nowUs(): number {
    return Math.floor(this.#clock.monotonic() * 1_000) + 1;
  }
}

function retryOf(meter: Meter, nowUs: number, parameters: readonly number[], cost: number): number {
  const [limit = 0] = parameters;
  if (meter.used(nowUs, parameters) + cost <= limit + TOLERANCE) return 0;
  return cost > limit ? -1 : meter.retryUs(nowUs, parameters, cost);
}

const noteKey = (subject: string, id: string): string => `${subject} ${id}`;
