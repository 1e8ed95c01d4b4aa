import { scan, type RedisConnection } from '@tierkit/redis';
import { leasePattern, nameOfLease, type ScopeAddress } from '../scope-address.ts';
import { decodeStampedTags } from '../tags/stamped-tags.ts';
import type { ScanPattern } from './store.ts';
import type { TagTables } from '../tags/tag-tables.ts';

/** The bytes of an envelope before its metadata; the last two say how long that is. */
const HEADER_BYTES = 29;
const META_LENGTH_AT = 27;
/** Keys looked at in one step. */
const BATCH = 500;

interface KeyState {
  readonly remainingMs: number;
  readonly bytes: number;
}

interface LivingKey {
  readonly key: string;
  readonly tags: readonly string[];
}

/** Which keys of a scope exist, told from their names and headers alone. */
export class RedisKeyspace {
  readonly #redis: RedisConnection;
  readonly #tags: TagTables;
  readonly #rootGeneration: (scope: ScopeAddress) => Promise<Buffer>;

  constructor(redis: RedisConnection, tags: TagTables, rootGeneration: (scope: ScopeAddress) => Promise<Buffer>) {
    this.#redis = redis;
    this.#tags = tags;
    this.#rootGeneration = rootGeneration;
  }

  async ttl(scope: ScopeAddress, key: string): Promise<number | undefined> {
    const [[header], generation, [state]] = await Promise.all([
      this.#headers([key]),
      this.#generation(scope),
      this.#states([key]),
    ]);
    if (!isGeneration(header, generation)) return undefined;
    const remainingMs = freshMs(header, state);
    if (remainingMs === undefined) return undefined;
    const [current] = await this.#current(scope, [key], [header]);
    return current === undefined ? undefined : remainingMs;
  }

  async *scan(scope: ScopeAddress, pattern: ScanPattern, hidden: boolean): AsyncIterable<string[]> {
    for await (const found of scan(this.#redis, { match: scope.prefix + pattern.encoded, count: BATCH })) {
      // The root's pattern also meets names of scopes, which have raw braces; a user's key never does.
      const own = found.filter((key) => {
        const name = key.slice(scope.prefix.length);
        return key.startsWith(scope.prefix) && !name.includes('{') && pattern.matches(name);
      });
      if (own.length === 0) continue;
      const living = await this.living(scope, own, hidden);
      yield living.map(({ key }) => key);
    }
  }

  /** Those of a scope's keys that hold an entry which exists, with the tags of that. */
  async living(scope: ScopeAddress, keys: readonly string[], hidden: boolean): Promise<LivingKey[]> {
    const [headers, generation, states] = await Promise.all([
      this.#headers(keys),
      this.#generation(scope),
      hidden ? [] : this.#states(keys),
    ]);
    const alive = keys.flatMap((key, index) => {
      const header = headers[index];
      if (!isGeneration(header, generation)) return [];
      return hidden || freshMs(header, states[index]) !== undefined ? [{ key, header }] : [];
    });
    return this.#current(
      scope,
      alive.map(({ key }) => key),
      alive.map(({ header }) => header),
    );
  }

  async voidLeases(scope: ScopeAddress, pattern: ScanPattern): Promise<void> {
    for await (const found of scan(this.#redis, { match: leasePattern(scope, pattern.encoded), count: BATCH })) {
      const leases = found.filter((lease) => {
        const name = nameOfLease(scope, lease);
        return name !== undefined && pattern.matches(name);
      });
      await this.#redis.execute(
        (client) => Promise.all(leases.map((lease) => client.unlink(lease))),
        undefined,
        'UNLINK',
      );
    }
  }

  /** The keys of entries none of whose tags was invalidated, and those tags. */
  async #current(
    scope: ScopeAddress,
    keys: readonly string[],
    headers: readonly (Buffer | undefined)[],
  ): Promise<LivingKey[]> {
    const metaBytes = new Map(keys.map((key, index) => [key, metaLength(headers[index])]));
    const tagged = keys.filter((key) => metaBytes.get(key) !== 0);
    if (tagged.length === 0) return keys.map((key) => ({ key, tags: [] }));
    const metas = await this.#redis.execute(
      (client) =>
        Promise.all(
          tagged.map((key) => {
            const end = HEADER_BYTES + (metaBytes.get(key) ?? 0) - 1;
            return client.getrangeBuffer(key, HEADER_BYTES, end).catch(ignoreWrongType);
          }),
        ),
      undefined,
      'GETRANGE',
    );
    const readable = tagged.flatMap((key, index) => {
      const meta = metas[index];
      const tags = meta && decodeStampedTags(meta);
      return tags === undefined ? [] : [{ key, tags }];
    });
    const current = await this.#tags.areCurrent(
      scope,
      readable.map(({ tags }) => tags),
    );
    const live = new Map(
      readable.filter((_, index) => current[index] === true).map(({ key, tags }) => [key, tags.names]),
    );
    return keys.flatMap((key) => {
      const tags = metaBytes.get(key) === 0 ? [] : live.get(key);
      return tags === undefined ? [] : [{ key, tags }];
    });
  }

  /** Ends all scopes whose generation keys begin so: nothing else that begins so ends with a brace. */
  async unlinkGenerations(prefix: string): Promise<void> {
    for await (const found of scan(this.#redis, { match: `${prefix}*}`, count: BATCH })) {
      const own = found.filter((key) => key.startsWith(prefix) && key.endsWith('}'));
      await this.#redis.execute((client) => Promise.all(own.map((key) => client.unlink(key))), undefined, 'UNLINK');
    }
  }

  #generation(scope: ScopeAddress): Promise<Buffer | null> {
    if (!scope.scoped) return this.#rootGeneration(scope);
    return this.#redis.execute((client) => client.getBuffer(scope.generationKey), undefined, 'GET');
  }

  #states(keys: readonly string[]): Promise<(KeyState | undefined)[]> {
    return this.#redis.execute(
      (client) =>
        Promise.all(
          keys.map(async (key) => {
            const [remainingMs, bytes] = await Promise.all([
              client.pttl(key),
              client.strlen(key).catch(ignoreWrongType),
            ]);
            return bytes === undefined ? undefined : { remainingMs, bytes };
          }),
        ),
      undefined,
      'PTTL',
    );
  }

  #headers(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#redis.execute(
      (client) =>
        // A name that something else took as a list or a hash is no entry.
        Promise.all(keys.map((key) => client.getrangeBuffer(key, 0, HEADER_BYTES - 1).catch(ignoreWrongType))),
      undefined,
      'GETRANGE',
    );
  }
}

/** Milliseconds until an entry is stale; undefined when it is, or stands for an absence. */
function freshMs(header: Buffer, state: KeyState | undefined): number | undefined {
  if (state === undefined) return undefined;
  const absent = state.bytes <= HEADER_BYTES + metaLength(header);
  const leftMs = state.remainingMs - (header.readDoubleBE(3) - header.readDoubleBE(11));
  return !absent && leftMs > 0 ? leftMs : undefined;
}

/** Whether an envelope, or the beginning of one, belongs to the generation. */
export function isGeneration(header: Buffer | undefined, generation: Buffer | null): header is Buffer {
  if (header === undefined || header.length < HEADER_BYTES || generation?.length !== 8) return false;
  return header.readInt32BE(19) === generation.readInt32BE(0) && header.readInt32BE(23) === generation.readInt32BE(4);
}

function metaLength(header: Buffer | undefined): number {
  return header === undefined ? 0 : header.readUInt16BE(META_LENGTH_AT);
}

function ignoreWrongType(error: unknown): undefined {
  if (!String(error).includes('WRONGTYPE')) throw error;
}
