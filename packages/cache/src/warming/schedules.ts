import { parseDuration, type ClockTimer, type Duration } from '@tierkit/core';
import type { Engine } from '../engine.ts';
import { freshName } from '../stores/fresh-generation.ts';
import { scopedAddress, type ScopeAddress } from '../scope-address.ts';
import type { Lease } from '../stores/store.ts';

export interface ScheduleOptions {
  /** From the start of one run to the next, by whichever instance. */
  readonly every: Duration;
}

/** A task that one instance at a time runs. */
export interface Schedule {
  /** Ends it on this instance; a run that is under way is told by its signal. Other instances go on. */
  stop(): void;
}

/** A task that failed is tried again after this long, or at its next turn if that is sooner. */
const RETRY_MS = 30_000;
/** The longest sleep of an instance, so that it notices a done mark that was lost or cleared. */
const LONGEST_SLEEP_MS = 60_000;
/** No name of a tier begins so. */
const TIER = '_schedule';
const DONE = Buffer.from([1]);

/**
 * Tasks on a schedule that all instances share. The mark that a task was done is an entry which lives until the next
 * turn; whoever finds it missing takes the lease to make it, as a load does, so that one instance runs the task.
 */
export class Schedules {
  readonly #engine: Engine;
  readonly #prefix: string;
  readonly #open = new Set<ScheduledTask>();

  constructor(engine: Engine, prefix: string) {
    this.#engine = engine;
    this.#prefix = prefix;
  }

  /** @throws {TierkitError} `ERR_DURATION_INVALID`, `ERR_KEY_INVALID` */
  add(name: string, options: ScheduleOptions, task: (signal: AbortSignal) => unknown): Schedule {
    const address = scopedAddress(this.#prefix, TIER, name);
    const everyMs = Math.ceil(parseDuration(options.every, 'every'));
    const scheduled = new ScheduledTask(this.#engine, address, everyMs, task);
    this.#open.add(scheduled);
    scheduled.begin();
    return {
      stop: () => {
        scheduled.stop();
        this.#open.delete(scheduled);
      },
    };
  }

  close(): void {
    for (const scheduled of this.#open) scheduled.stop();
    this.#open.clear();
  }
}

class ScheduledTask {
  readonly #engine: Engine;
  readonly #address: ScopeAddress;
  readonly #key: string;
  readonly #everyMs: number;
  readonly #task: (signal: AbortSignal) => unknown;
  readonly #ended = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: Engine, address: ScopeAddress, everyMs: number, task: (signal: AbortSignal) => unknown) {
    this.#engine = engine;
    this.#address = address;
    this.#key = `${address.prefix}done`;
    this.#everyMs = everyMs;
    this.#task = task;
  }

  begin(): void {
    void this.#turn();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
  }

  async #turn(): Promise<void> {
    let sleepMs = 1_000;
    try {
      sleepMs = await this.#runIfDue();
    } catch (error) {
      // Redis is away: nobody can tell who is to run it.
      this.#engine.logger.debug({ schedule: this.#key, error: String(error) }, 'a schedule could not be looked at');
    }
    if (this.#ended.signal.aborted) return;
    const jittered = Math.min(Math.max(sleepMs, 10), LONGEST_SLEEP_MS) * (1 + Math.random() * 0.1);
    this.#timer = setTimeout(() => void this.#turn(), jittered);
    this.#timer.unref();
  }

  /** @returns when to look again, in milliseconds */
  async #runIfDue(): Promise<number> {
    const { store, sharing } = this.#engine;
    const request = { token: freshName(), leaseMs: sharing.leaseMs, hitAboveMs: 0, unreadable: undefined };
    const sentMs = this.#engine.clock.monotonic();
    const claim = await store.claim(this.#address, this.#key, request);
    if (claim.kind === 'granted') {
      if (!this.#ended.signal.aborted) return this.#run(claim.lease, sentMs);
      await store.release(this.#address, claim.lease);
      return 0;
    }
    if (claim.kind !== 'hit') return claim.remainingMs;
    return (await store.ttl(this.#address, this.#key)) ?? 0;
  }

  async #run(lease: Lease, claimedMs: number): Promise<number> {
    const { store, sharing, clock, logger } = this.#engine;
    const startedMs = clock.monotonic();
    const lost = new AbortController();
    // What Redis does not confirm may be over there as soon as it can be, and another instance may run the task.
    const end = (sentMs: number): ClockTimer =>
      clock.setTimeout(() => lost.abort(), Math.max(0, sentMs + sharing.leaseMs - clock.monotonic()));
    let ending = end(claimedMs);
    const renewal = setInterval(() => {
      if (this.#engine.closed || lost.signal.aborted) return clearInterval(renewal);
      const sentMs = clock.monotonic();
      store.renew(this.#address, lease, sharing.leaseMs).then(
        (held) => {
          if (!held) return lost.abort();
          ending.cancel();
          ending = end(sentMs);
        },
        () => {},
      );
    }, sharing.leaseMs / 3);
    renewal.unref();
    let againMs = this.#everyMs;
    try {
      await this.#task(AbortSignal.any([this.#ended.signal, lost.signal]));
    } catch (error) {
      againMs = Math.min(againMs, RETRY_MS);
      logger.warn({ schedule: this.#key, error: String(error) }, 'a scheduled task failed');
    } finally {
      clearInterval(renewal);
      ending.cancel();
    }
    if (this.#ended.signal.aborted || lost.signal.aborted) {
      await store.release(this.#address, lease);
      return 0;
    }
    const leftMs = Math.max(1, Math.ceil(againMs - (clock.monotonic() - startedMs)));
    const done = { key: this.#key, tags: undefined, flags: 0, payload: DONE };
    await store.fill(this.#address, lease, done, { ttlMs: leftMs, graceMs: 0 });
    return leftMs;
  }
}
