import { scan, type RedisConnection } from '@tierkit/redis';
import { leasePattern, nameOfLease, type ScopeAddress } from './scope-address.ts';
import type { ScanPattern } from './store.ts';

/** The bytes of an envelope up to the end of its generation. */
const HEADER_BYTES = 27;
/** Keys looked at in one step. */
const BATCH = 500;

/** Which keys of a scope exist, told from their names and headers alone. */
export class RedisKeyspace {
  readonly #redis: RedisConnection;
  readonly #rootGeneration: (scope: ScopeAddress) => Promise<Buffer>;

  constructor(redis: RedisConnection, rootGeneration: (scope: ScopeAddress) => Promise<Buffer>) {
    this.#redis = redis;
    this.#rootGeneration = rootGeneration;
  }

  async ttl(scope: ScopeAddress, key: string): Promise<number | undefined> {
    const [[header], generation, remainingMs] = await Promise.all([
      this.#headers([key]),
      this.#generation(scope),
      this.#redis.execute((client) => client.pttl(key)),
    ]);
    return isGeneration(header, generation) && remainingMs >= 0 ? remainingMs : undefined;
  }

  async *scan(scope: ScopeAddress, pattern: ScanPattern): AsyncIterable<string[]> {
    for await (const found of scan(this.#redis, { match: scope.prefix + pattern.encoded, count: BATCH })) {
      // The root's pattern also meets names of scopes, which have raw braces; a user's key never does.
      const own = found.filter((key) => {
        const name = key.slice(scope.prefix.length);
        return key.startsWith(scope.prefix) && !name.includes('{') && pattern.matches(name);
      });
      if (own.length === 0) continue;
      const [headers, generation] = await Promise.all([this.#headers(own), this.#generation(scope)]);
      yield own.filter((_, index) => isGeneration(headers[index], generation));
    }
  }

  async voidLeases(scope: ScopeAddress, pattern: ScanPattern): Promise<void> {
    for await (const found of scan(this.#redis, { match: leasePattern(scope, pattern.encoded), count: BATCH })) {
      const leases = found.filter((lease) => {
        const name = nameOfLease(scope, lease);
        return name !== undefined && pattern.matches(name);
      });
      await this.#redis.execute((client) => Promise.all(leases.map((lease) => client.unlink(lease))));
    }
  }

  #generation(scope: ScopeAddress): Promise<Buffer | null> {
    if (!scope.scoped) return this.#rootGeneration(scope);
    return this.#redis.execute((client) => client.getBuffer(scope.generationKey));
  }

  #headers(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#redis.execute((client) =>
      // A name that something else took as a list or a hash is no entry.
      Promise.all(keys.map((key) => client.getrangeBuffer(key, 0, HEADER_BYTES - 1).catch(ignoreWrongType))),
    );
  }
}

/** Whether an envelope, or the beginning of one, belongs to the generation. */
export function isGeneration(header: Buffer | undefined, generation: Buffer | null): boolean {
  if (header === undefined || header.length < HEADER_BYTES || generation?.length !== 8) return false;
  return header.readInt32BE(19) === generation.readInt32BE(0) && header.readInt32BE(23) === generation.readInt32BE(4);
}

function ignoreWrongType(error: unknown): undefined {
  if (!String(error).includes('WRONGTYPE')) throw error;
}
