import {
  encodeSegment,
  LONGEST_TIMER_MS,
  observeOrUndo,
  TierkitError,
  type Duration,
  type Telemetry,
} from '@tierkit/core';
import { createRedis, Deadline, redisInput, type RedisConnection } from '@tierkit/redis';
import { argumentMs, checkedOptions, checkedSubject, encodedId, ONE, optionsObject } from './call-arguments.ts';
import { CallLimits } from './call-limits.ts';
import { DecisionCounter } from './decision-counter.ts';
import { limitError } from './errors.ts';
import type { ConsumeOptions, Limiter, WaitOptions } from './limiter.ts';
import { isConnection, type LimiterOptions, type LimiterSettings } from './limiter-options.ts';
import type { LimitResult } from './limit-result.ts';
import type { Policy } from './policy.ts';
import { resultOf, uncounted } from './results.ts';
import { Shield } from './shield/shield.ts';
import { undoChannel, UndoFeed } from './shield/undo-feed.ts';
import type { Decision, LimitStore, Parameters } from './stores/limit-store.ts';
import { MemoryStore } from './stores/memory-store.ts';
import { RedisStore } from './stores/redis-store.ts';
import { Waiting } from './waiting.ts';

const WAIT_MS = 30_000;

/** A limiter, wired: lists, then the shield, then the store, then what stands in for it. */
export class PolicyLimiter implements Limiter {
  readonly name: string;
  readonly policies: readonly Policy[];
  readonly #settings: LimiterSettings;
  readonly #limits: CallLimits;
  readonly #redis: RedisConnection | undefined;
  readonly #owned: boolean;
  readonly #store: LimitStore;
  readonly #deadline: Deadline | undefined;
  readonly #shield: Shield | undefined;
  readonly #feed: UndoFeed | undefined;
  readonly #waiting: Waiting;
  #counter: DecisionCounter | undefined;
  #stopObserving: (() => void) | undefined;
  /** Kept when Redis is back: one that answers now and then would otherwise give the whole limit each time. */
  #fallback: MemoryStore | undefined;
  #away = false;
  #closed = false;

  constructor(name: string, policies: readonly Policy[], options: LimiterOptions, settings: LimiterSettings) {
    this.name = name;
    this.policies = [...policies];
    this.#settings = settings;
    this.#limits = new CallLimits(this.policies, settings.plans);
    this.#waiting = new Waiting(settings.clock);
    const backend = options.redis;
    const encodedName = encodeSegment(name, "the limiter's name");
    this.#owned = backend !== 'memory' && !isConnection(backend);
    this.#redis =
      backend === 'memory'
        ? undefined
        : isConnection(backend)
          ? backend
          : createRedis(redisInput(backend, { telemetry: options.telemetry }));
    if (this.#redis === undefined) {
      this.#store = this.#memoryStore();
      return;
    }
    const redis = this.#redis;
    const { prefix, idTtlMs, timeoutMs, shieldSubjects, clock } = settings;
    const algorithms = this.policies.map(({ algorithm }) => algorithm);
    const channel = undoChannel(prefix, encodedName, redis.db);
    this.#store = new RedisStore({
      redis,
      algorithms,
      stated: this.#limits.stated,
      prefix,
      name: encodedName,
      idTtlMs,
      channel,
    });
    if (timeoutMs !== undefined) this.#deadline = new Deadline(timeoutMs);
    if (shieldSubjects === 0) return;
    const shield = new Shield(clock, shieldSubjects);
    this.#shield = shield;
    this.#feed = new UndoFeed(
      { ...settings, redis, channel, subscriber: options.subscriber },
      {
        onUndo: (subject) => this.#undone(subject),
        onLive: () => shield.raise(),
        onLost: () => shield.lower(),
      },
    );
  }

  /** Counts decisions from now on, for whoever collects. */
  observedBy(telemetry: Telemetry): void {
    this.#counter = new DecisionCounter(this.name);
    this.#stopObserving = observeOrUndo(telemetry, this.#counter, () => this.close());
  }

  consume(subject: string, options: ConsumeOptions = ONE): Promise<LimitResult> {
    const deciding = this.#decide(subject, options);
    return this.#counter === undefined ? deciding : deciding.then(this.#counter.note);
  }

  #decide(subject: string, options: ConsumeOptions): Promise<LimitResult> {
    try {
      const { cost = 1, id } = checkedOptions(options);
      const encoded = this.#check(subject, cost, id);
      const parameters = this.#limits.of(options.plan, options.limits);
      const listed = this.#listed(subject);
      if (listed !== undefined) return Promise.resolve(listed);
      if (this.#shield === undefined) return this.#ask('consume', encoded, parameters, cost, id);
      const shielded = id === undefined ? this.#shield.answer(encoded, parameters, cost) : undefined;
      if (shielded !== undefined) return Promise.resolve(shielded);
      return this.#askShielded(this.#shield, encoded, parameters, cost, id);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async peek(subject: string, options: ConsumeOptions = ONE): Promise<LimitResult> {
    const { cost = 1, id } = checkedOptions(options);
    const encoded = this.#check(subject, cost, id);
    const parameters = this.#limits.of(options.plan, options.limits);
    return this.#listed(subject) ?? this.#ask('peek', encoded, parameters, cost, id);
  }

  async refund(subject: string, options: ConsumeOptions = ONE): Promise<boolean> {
    const { cost = 1, id } = checkedOptions(options);
    const encoded = this.#check(subject, cost, id);
    const parameters = this.#limits.of(options.plan, options.limits);
    const taking = { cost, id: encodedId(id) };
    // Without an id, what was taken in Redis must not be given back here.
    const local =
      this.#away || id !== undefined ? ((await this.#fallback?.refund(encoded, parameters, taking)) ?? false) : false;
    return (await this.#change(encoded, () => this.#store.refund(encoded, parameters, taking))) || local;
  }

  async block(subject: string, duration: Duration): Promise<void> {
    const encoded = this.#check(subject, 1, undefined);
    const forMs = argumentMs(duration, 'duration');
    await this.#fallback?.block(encoded, this.#limits.stated, forMs);
    await this.#change(encoded, () => this.#store.block(encoded, this.#limits.stated, forMs));
  }

  async reset(subject: string): Promise<void> {
    const encoded = this.#check(subject, 1, undefined);
    await this.#fallback?.reset(encoded);
    await this.#change(encoded, () => this.#store.reset(encoded));
  }

  async wait(subject: string, options: WaitOptions = ONE): Promise<LimitResult> {
    const { timeout = WAIT_MS, signal, ...rest } = optionsObject(options);
    checkedOptions(rest);
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw limitError('ERR_LIMIT_ARGUMENT', 'signal must be an AbortSignal');
    const encoded = this.#check(subject, rest.cost ?? 1, rest.id);
    const timeoutMs = argumentMs(timeout, 'timeout', LONGEST_TIMER_MS);
    return this.#waiting.until(encoded, { timeoutMs, signal, attempt: () => this.consume(subject, rest) });
  }

  async ready(timeout?: Duration): Promise<void> {
    if (this.#closed) throw closedError(this.name);
    await this.#redis?.ready(timeout);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopObserving?.();
    this.#feed?.close();
    this.#deadline?.dispose();
    this.#waiting.wakeAll();
    if (this.#owned) await this.#redis?.close();
  }

  #check(subject: string, cost: number, id: string | undefined): string {
    if (this.#closed) throw closedError(this.name);
    return checkedSubject(subject, cost, id);
  }

  #listed(subject: string): LimitResult | undefined {
    const { isDenied, isAllowed, shadow } = this.#settings;
    if (isDenied?.(subject) === true) return uncounted(false, 'list', shadow);
    if (isAllowed?.(subject) === true) return uncounted(true, 'list', shadow);
    return undefined;
  }

  #askShielded(
    shield: Shield,
    subject: string,
    parameters: Parameters,
    cost: number,
    id: string | undefined,
  ): Promise<LimitResult> {
    const moment = shield.moment();
    return this.#ask('consume', subject, parameters, cost, id).then((result) => {
      if (result.retryAfterMs > 0 && result.source === 'redis') {
        this.#feed?.start();
        shield.remember(subject, parameters, cost, result, moment);
      }
      return result;
    });
  }

  #ask(
    call: 'consume' | 'peek',
    subject: string,
    parameters: Parameters,
    cost: number,
    id: string | undefined,
  ): Promise<LimitResult> {
    const taking = { cost, id: encodedId(id) };
    const { shadow, onUnavailable } = this.#settings;
    return this.#bounded(this.#store[call](subject, parameters, taking)).then(
      (decision) => {
        if (this.#away) this.#returned();
        return resultOf(decision, this.policies, parameters, this.#redis === undefined ? 'memory' : 'redis', shadow);
      },
      async (error: unknown) => {
        if (this.#closed) throw closedError(this.name);
        this.#unanswered(error);
        if (onUnavailable !== 'memory') return uncounted(onUnavailable === 'open', onUnavailable, shadow);
        this.#fallback ??= this.#memoryStore();
        const decision: Decision = await this.#fallback[call](subject, parameters, taking);
        return resultOf(decision, this.policies, parameters, 'fallback', shadow);
      },
    );
  }

  async #change<T>(subject: string, change: () => Promise<T>): Promise<T> {
    try {
      return await this.#bounded(change());
    } catch (cause) {
      const details = cause instanceof TierkitError ? cause.details : {};
      throw new TierkitError('ERR_LIMIT_UNAVAILABLE', 'Redis did not confirm the change', { cause, details });
    } finally {
      // It may have been applied, whatever came back.
      this.#undone(subject);
    }
  }

  #undone(subject: string): void {
    this.#shield?.undo(subject);
    this.#waiting.wake(subject);
  }

  #bounded<T>(answer: Promise<T>): Promise<T> {
    return this.#deadline === undefined ? answer : this.#deadline.race(answer);
  }

  #unanswered(error: unknown): void {
    if (!(error instanceof TierkitError) || !String(error.code).startsWith('ERR_REDIS_')) throw error;
    if (this.#away) return;
    this.#away = true;
    const { logger, onUnavailable } = this.#settings;
    logger.warn({ limiter: this.name, error, onUnavailable }, 'the limiter has no answer from Redis');
  }

  #returned(): void {
    this.#away = false;
    this.#settings.logger.info({ limiter: this.name }, 'the limiter has answers from Redis again');
  }

  #memoryStore(): MemoryStore {
    const { clock, memorySubjects: maxSubjects, idTtlMs } = this.#settings;
    return new MemoryStore({ policies: this.policies, clock, maxSubjects, idTtlMs });
  }
}

function closedError(name: string): TierkitError {
  return limitError('ERR_LIMIT_CLOSED', `the limiter ${name} is closed`);
}
