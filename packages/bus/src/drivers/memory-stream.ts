import type { Clock } from '@tierkit/core';
import type { Retention } from '../channels/channel.ts';
import {
  MOST_DEAD,
  type BusDriver,
  type DeadEntry,
  type Delivery,
  type GroupOwner,
  type GroupState,
  type Position,
  type Start,
  type StreamEntry,
} from './driver.ts';
import { isBehind } from './stream-id.ts';

interface Pending {
  consumer: string;
  touchedAtMs: number;
  attempt: number;
}

interface Group {
  last: Position;
  readonly pending: Map<string, Pending>;
  readonly consumers: Set<string>;
  lost: number;
}

/** A stream with its groups and dead letters, as Redis has them. */
export class MemoryStream {
  readonly #clock: Clock;
  readonly #groups = new Map<string, Group>();
  readonly #wakers = new Set<() => void>();
  #entries: StreamEntry[] = [];
  #dead: DeadEntry[] = [];
  #lastDeadId = '0-0';
  #last: Position & { readonly count: number } = { id: '0-0', count: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  append(message: Buffer, retention: Retention, subject: string | undefined): Position {
    this.#add(message, subject, undefined);
    this.#trim(retention);
    for (const wake of this.#wakers) wake();
    return this.#last;
  }

  locate(start: Start): Position {
    if (start === 'now') return this.#last;
    if (start === 'start') return { id: '0-0', count: undefined };
    if ('timeMs' in start) {
      return { id: `${Math.max(0, Math.ceil(start.timeMs) - 1)}-18446744073709551615`, count: undefined };
    }
    return isBehind(start.id, this.#last.id) ? this.#last : start;
  }

  read({ id }: Position, limit: number): StreamEntry[] {
    const found: StreamEntry[] = [];
    // From the end, as most read what is new.
    let from = this.#entries.length;
    while (from > 0 && isBehind((this.#entries[from - 1] as StreamEntry).id, id)) from--;
    for (; from < this.#entries.length && found.length < limit; from++) found.push(this.#entries[from] as StreamEntry);
    return found;
  }

  /** @returns undefined for a group that is not there */
  readGroup({ group, consumer }: GroupOwner, limit: number): Delivery[] | undefined {
    const state = this.#groups.get(group);
    if (state === undefined) return undefined;
    state.consumers.add(consumer);
    const entries = this.read(state.last, limit);
    for (const { id } of entries) {
      state.pending.set(id, { consumer, touchedAtMs: this.#clock.monotonic(), attempt: 1 });
    }
    state.last = entries.at(-1) ?? state.last;
    return entries.map((entry) => Object.assign({ attempt: 1, counted: true }, entry));
  }

  /** Calls back once something is added. */
  wake(waker: () => void): () => void {
    this.#wakers.add(waker);
    return () => void this.#wakers.delete(waker);
  }

  createGroup(group: string, start: Start): Position {
    const found = this.#groups.get(group);
    if (found !== undefined) return found.last;
    const last = this.locate(start);
    this.#groups.set(group, { last, pending: new Map(), consumers: new Set(), lost: 0 });
    return last;
  }

  acknowledge(group: string, ids: readonly string[]): number {
    const { pending } = this.#groups.get(group) ?? {};
    return ids.filter((id) => pending?.delete(id) === true).length;
  }

  release(
    { group, consumer }: GroupOwner,
    id: string,
    { idleMs, attempts }: Parameters<BusDriver['release']>[3],
  ): boolean {
    const pending = this.#groups.get(group)?.pending.get(id);
    if (pending?.consumer !== consumer) return false;
    Object.assign(pending, { touchedAtMs: this.#clock.monotonic() - idleMs, attempt: attempts });
    return true;
  }

  touch({ group, consumer }: GroupOwner, ids: readonly string[]): string[] {
    return ids.filter((id) => {
      const pending = this.#groups.get(group)?.pending.get(id);
      if (pending?.consumer !== consumer) return false;
      pending.touchedAtMs = this.#clock.monotonic();
      return true;
    });
  }

  claim({ group, consumer }: GroupOwner, idleMs: number, limit: number): Delivery[] {
    const state = this.#groups.get(group);
    const claimed: Delivery[] = [];
    for (const [id, pending] of state?.pending ?? []) {
      if (claimed.length >= limit) break;
      if (this.#clock.monotonic() - pending.touchedAtMs < idleMs) continue;
      const entry = this.#entries.find((one) => one.id === id);
      if (entry === undefined) {
        state?.pending.delete(id);
        if (state !== undefined) state.lost++;
        continue;
      }
      state?.consumers.add(consumer);
      Object.assign(pending, { consumer, touchedAtMs: this.#clock.monotonic() });
      claimed.push({ ...entry, attempt: pending.attempt + 1, counted: false });
    }
    return claimed;
  }

  bury(
    group: string,
    { id, attempts, reason }: { readonly id: string; readonly attempts: number; readonly reason: string },
  ): void {
    if (this.acknowledge(group, [id]) === 0) return;
    const entry = this.#entries.find((one) => one.id === id);
    if (entry === undefined) {
      const state = this.#groups.get(group);
      if (state !== undefined) state.lost++;
      return;
    }
    const { message, subject } = entry;
    this.#lastDeadId = this.#nextId(this.#lastDeadId);
    this.#dead.push({ id: this.#lastDeadId, message, subject, group, attempts, reason });
    if (this.#dead.length > MOST_DEAD) this.#dead.shift();
  }

  forgetConsumer({ group, consumer }: GroupOwner): void {
    const state = this.#groups.get(group);
    if (![...(state?.pending.values() ?? [])].some((pending) => pending.consumer === consumer))
      state?.consumers.delete(consumer);
  }

  get groups(): string[] {
    return [...this.#groups.keys()];
  }

  state(group: string): GroupState {
    const state = this.#groups.get(group);
    const deadLetters = this.#dead.length;
    if (state === undefined) return { waiting: this.#entries.length, pending: 0, consumers: 0, lost: 0, deadLetters };
    const waiting = this.read(state.last, Infinity).length;
    return { waiting, pending: state.pending.size, consumers: state.consumers.size, lost: state.lost, deadLetters };
  }

  deadLetters(after: string | undefined, limit: number): DeadEntry[] {
    return this.#dead.filter(({ id }) => after === undefined || isBehind(id, after)).slice(0, limit);
  }

  replay(ids: readonly string[]): number {
    const chosen = this.#take(ids);
    for (const { message, subject, group } of chosen) this.#add(message, subject, group);
    for (const wake of this.#wakers) wake();
    return chosen.length;
  }

  remove(ids: readonly string[]): number {
    return this.#take(ids).length;
  }

  #add(message: Buffer, subject: string | undefined, group: string | undefined): void {
    this.#last = { id: this.#nextId(this.#last.id), count: this.#last.count + 1 };
    this.#entries.push({ ...this.#last, message, subject, group });
  }

  #take(ids: readonly string[]): DeadEntry[] {
    const chosen = this.#dead.filter(({ id }) => ids.includes(id));
    this.#dead = this.#dead.filter(({ id }) => !ids.includes(id));
    return chosen;
  }

  #nextId(last: string): string {
    const id = `${Math.max(0, Math.floor(this.#clock.now()))}-0`;
    if (isBehind(id, last)) return id;
    const [ms = '0', sequence = '0'] = last.split('-');
    return `${ms}-${Number(sequence) + 1}`;
  }

  #trim({ maxLength, maxAgeMs }: Retention): void {
    const oldestId = `${Math.max(0, Math.floor(this.#clock.now() - (maxAgeMs ?? Infinity)))}-0`;
    let drop = Math.max(0, this.#entries.length - maxLength);
    if (maxAgeMs !== undefined) {
      while (drop < this.#entries.length && isBehind(oldestId, (this.#entries[drop] as StreamEntry).id)) drop++;
    }
    if (drop === 0) return;
    const dropped = this.#entries.splice(0, drop);
    for (const group of this.#groups.values()) {
      const missed = dropped.filter(({ id }) => isBehind(id, group.last.id));
      group.lost += missed.length;
      group.last = missed.at(-1) ?? group.last;
    }
  }
}
