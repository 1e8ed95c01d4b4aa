import { createTiers, type Tiers, type TiersOptions } from '@tierkit/cache';
import { createLocks, type Locks } from '@tierkit/lock';
import { createRedis, type RedisConnection, type RedisInput, type RedisOptions } from '@tierkit/redis';
import { cliError } from '../errors.ts';
import type { CliHost, CliKit, KitOptions } from '../host.ts';
import type { Output } from '../output/output.ts';
import { AdminApi } from './admin-api.ts';
import type { Asker } from './confirm.ts';
import { kitOptions, timeoutOf, variable, type CommonOptions, type Environment } from './settings.ts';

export interface SessionParts {
  readonly host: CliHost;
  readonly environment: Environment;
  readonly options: CommonOptions;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly asker: Asker;
}

/** What one run of the command has open: connections are made when a command first asks for them, and end with it. */
export class Session {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly asker: Asker;
  readonly environment: Environment;
  readonly timeoutMs: number;
  readonly #host: CliHost;
  readonly #options: CommonOptions;
  readonly #open: { close(): unknown }[] = [];
  #kitOptions: KitOptions | undefined;
  #redis: RedisConnection | undefined;
  #durable: RedisConnection | undefined;

  constructor({ host, environment, options, output, signal, asker }: SessionParts) {
    this.#host = host;
    this.#options = options;
    this.output = output;
    this.signal = signal;
    this.asker = asker;
    this.environment = environment;
    this.timeoutMs = timeoutOf(options);
  }

  get kitOptions(): KitOptions {
    return (this.#kitOptions ??= kitOptions(this.#host, this.environment, this.#options));
  }

  get prefix(): string {
    return this.kitOptions.prefix ?? '';
  }

  /** The Redis of the cache and of limiters, once it answers. @throws {TierkitError} `ERR_REDIS_UNAVAILABLE` */
  async redis(): Promise<RedisConnection> {
    this.#redis ??= this.opened(createRedis(this.kitOptions.redis));
    await this.#answers(this.#redis);
    return this.#redis;
  }

  /** The Redis of locks, quotas, streams and what is written behind: the same one unless the environment has two. */
  async durable(): Promise<RedisConnection> {
    const { durableRedis } = this.kitOptions;
    if (durableRedis === undefined) return this.redis();
    this.#durable ??= this.opened(createRedis(durableRedis));
    await this.#answers(this.#durable);
    return this.#durable;
  }

  /** The tiers as services see them, once Redis answers. */
  async tiers(more: Partial<TiersOptions> = {}): Promise<Tiers> {
    const { redis, durableRedis, prefix = '', tiers = {}, defaultTtl } = this.kitOptions;
    const given = { redis, prefix, tiers, ...(defaultTtl === undefined ? {} : { defaultTtl }) };
    const durable = durableRedis === undefined ? {} : { durableRedis: await this.durable() };
    // Nobody is here any more when cleared entries are to be freed: they expire.
    const opened = this.opened(createTiers({ ...given, ...durable, reclaim: false, ...more }));
    await this.untilAborted(opened.ready(this.timeoutMs));
    return opened;
  }

  /** A kit of its own, which other instances see as one of theirs while it lives. */
  async kit(): Promise<CliKit> {
    const kit = this.opened(this.#host.createTierkit(this.kitOptions));
    await this.untilAborted(kit.ready(this.timeoutMs));
    return kit;
  }

  async locks(): Promise<Locks> {
    return this.opened(createLocks({ redis: await this.durable(), prefix: this.prefix }));
  }

  /** The API of a running service; undefined if nobody said where. @throws {TierkitError} `ERR_CLI_USAGE` */
  get adminApi(): AdminApi | undefined {
    const admin = this.#options.admin ?? variable(this.environment, 'TIERKIT_ADMIN_URL');
    if (admin === undefined) return undefined;
    const token = variable(this.environment, 'TIERKIT_ADMIN_TOKEN');
    if (token === undefined) {
      throw cliError('ERR_CLI_USAGE', 'the admin API needs a token: set TIERKIT_ADMIN_TOKEN');
    }
    return new AdminApi({ url: admin, token, timeoutMs: this.timeoutMs, signal: this.signal });
  }

  /** @throws {TierkitError} `ERR_CLI_USAGE` without `--admin`, saying what only a service knows */
  requireAdminApi(what: string): AdminApi {
    const api = this.adminApi;
    if (api !== undefined) return api;
    const message = `only a running service knows ${what}: give its admin API as --admin http://host:port/admin`;
    throw cliError('ERR_CLI_USAGE', message);
  }

  /** Ends with the run. */
  opened<T extends { close(): unknown }>(part: T): T {
    this.#open.push(part);
    return part;
  }

  /** Settles as the promise does, or rejects as soon as the run is interrupted. */
  async untilAborted<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    const abortion = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      const stop = (): void => reject(signal.reason as Error);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true, signal: abortion.signal });
    });
    try {
      return await Promise.race([aborted, promise]);
    } finally {
      abortion.abort();
    }
  }

  /** The last that was opened first. */
  async close(): Promise<void> {
    for (const part of this.#open.splice(0).toReversed()) await part.close();
  }

  async #answers(redis: RedisConnection): Promise<void> {
    await this.untilAborted(redis.ready(this.timeoutMs));
  }
}

/** Where a connection leads, without user and password. */
export function addressOf(redis: RedisInput): string {
  const { url, cluster, sentinels }: RedisOptions =
    typeof redis === 'string' ? { url: redis } : (redis as RedisOptions);
  if (url !== undefined && URL.canParse(url)) return new URL(url).host;
  const nodes = (cluster ?? sentinels ?? []).map((node) =>
    typeof node === 'string' ? node : `${node.host}:${node.port}`,
  );
  return nodes.length === 0 ? 'redis' : nodes.join(', ');
}
