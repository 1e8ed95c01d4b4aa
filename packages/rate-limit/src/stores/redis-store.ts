import type { RedisConnection } from '@tierkit/redis';
import type { Algorithm } from '../algorithms/algorithm.ts';
import type { Decision, LimitStore, Parameters, Taking } from './limit-store.ts';
import { lastsMs, layoutOf, numberNames } from './redis-scripts/composed.ts';
import { consumeScript, consumeOneScript, peekScript } from './redis-scripts/decision-scripts.ts';
import { blockScript, refundScript, resetScript } from './redis-scripts/undo-scripts.ts';

export interface RedisStoreOptions {
  readonly redis: RedisConnection;
  readonly algorithms: readonly Algorithm[];
  /** The limits of the policies themselves, for which consuming is fastest. */
  readonly stated: Parameters;
  /** Goes before every key. */
  readonly prefix: string;
  /** The limiter's name, encoded. */
  readonly name: string;
  readonly idTtlMs: number;
  /** Where it is published that what a subject was denied may be allowed again; the message is the subject. */
  readonly channel: string;
}

const NONE: readonly string[] = [];
const NO_ARGUMENTS = {};

/**
 * Counts in Redis, on Redis's clock, in one round trip a call.
 *
 * The scripts are put together for the policies of the limiter, so that they have no loop over them and one read and one
 * write of the state, however many there are.
 */
export class RedisStore implements LimitStore {
  readonly #options: RedisStoreOptions;
  readonly #names: readonly string[];
  readonly #root: string;
  readonly #layout: string;
  readonly #consumeOne: ReturnType<typeof consumeOneScript>;
  readonly #consume: ReturnType<typeof consumeScript>;
  readonly #peek: ReturnType<typeof peekScript>;
  readonly #refund: ReturnType<typeof refundScript>;
  readonly #block: ReturnType<typeof blockScript>;
  /** The arguments that every call of the same limits shares. */
  readonly #numbers = new WeakMap<Parameters, Readonly<Record<string, number>>>();

  constructor(options: RedisStoreOptions) {
    const { algorithms, stated } = options;
    this.#options = options;
    this.#names = numberNames(algorithms);
    // Ids of tiers have no colon, so no scope of a tier called `limit` has these braces.
    this.#root = `${options.prefix}limit:{${options.name}:`;
    this.#layout = `}:${layoutOf(algorithms)}`;
    this.#consumeOne = consumeOneScript(algorithms, stated, options.idTtlMs);
    this.#consume = consumeScript(algorithms);
    this.#peek = peekScript(algorithms);
    this.#refund = refundScript(algorithms);
    this.#block = blockScript(algorithms);
  }

  consume(subject: string, parameters: Parameters, { cost, id }: Taking): Promise<Decision> {
    const { redis, stated, algorithms, idTtlMs: noteMs } = this.#options;
    const keys = this.#keys(subject, id);
    if (cost === 1 && parameters === stated) return this.#consumeOne.run(redis, keys, NO_ARGUMENTS);
    const lasts = lastsMs(algorithms, parameters);
    return this.#consume.run(redis, keys, { cost, noteMs, lasts, ...this.#numbersFor(parameters) });
  }

  peek(subject: string, parameters: Parameters, { cost, id }: Taking): Promise<Decision> {
    const args = { cost, ...this.#numbersFor(parameters) };
    return this.#peek.run(this.#options.redis, this.#keys(subject, id), args);
  }

  refund(subject: string, parameters: Parameters, { cost, id }: Taking): Promise<boolean> {
    const { redis, channel } = this.#options;
    const args = { channel, message: subject, cost, ...this.#numbersFor(parameters) };
    return this.#refund.run(redis, this.#keys(subject, id), args);
  }

  block(subject: string, parameters: Parameters, forMs: number): Promise<void> {
    const { redis, channel } = this.#options;
    const args = { channel, message: subject, forMs, ...this.#numbersFor(parameters) };
    return this.#block.run(redis, { state: this.#state(subject) }, args);
  }

  reset(subject: string): Promise<void> {
    const { redis, channel } = this.#options;
    return resetScript.run(redis, { state: this.#state(subject) }, { channel, message: subject });
  }

  #keys(subject: string, id: string | undefined): { readonly state: string; readonly note: readonly string[] } {
    return { state: this.#state(subject), note: id === undefined ? NONE : [`${this.#root}${subject}}:id:${id}`] };
  }

  #state(subject: string): string {
    return this.#root + subject + this.#layout;
  }

  #numbersFor(parameters: Parameters): Readonly<Record<string, number>> {
    let numbers = this.#numbers.get(parameters);
    if (numbers === undefined) {
      const values = parameters.flat();
      numbers = Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? 0]));
      this.#numbers.set(parameters, numbers);
    }
    return numbers;
  }
}
