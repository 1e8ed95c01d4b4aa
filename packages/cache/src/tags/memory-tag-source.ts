import { TierkitError } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { ScopeAddress } from '../scope-address.ts';
import type { StampedTags, TagStamp } from './stamped-tags.ts';
import type { TagReading, TagSource } from './tag-source.ts';

const TABLE = -1;

/** The tag tables of the memory store, with one count for all of them. */
export class MemoryTagSource implements TagSource {
  readonly #everywhereKey: string;
  readonly #versions: LRUCache<string, number>;
  #at = 0;
  #closed = false;
  /** Of tags that were forgotten, none was invalidated later. */
  #floor = 0;

  readonly #onInvalidated: (tagsKey: string, names: readonly string[], stamp: TagStamp) => void;

  constructor(
    everywhereKey: string,
    maxTags: number,
    onInvalidated: (tagsKey: string, names: readonly string[], stamp: TagStamp) => void = () => {},
  ) {
    this.#everywhereKey = everywhereKey;
    this.#onInvalidated = onInvalidated;
    this.#versions = new LRUCache({
      max: maxTags,
      dispose: (version, _key, reason) => {
        if (reason === 'evict') this.#floor = Math.max(this.#floor, version);
      },
    });
  }

  close(): void {
    this.#closed = true;
  }

  /** Whether one of the tags was invalidated after the stamps. */
  outdated({ tagsKey }: ScopeAddress, { names, scope, everywhere }: StampedTags): boolean {
    return names.some(
      (name) => this.#version(tagsKey, name) > scope.at || this.#version(this.#everywhereKey, name) > everywhere.at,
    );
  }

  standing(): TagStamp {
    return { table: TABLE, at: this.#at };
  }

  async stamp(): Promise<TagStamp> {
    return this.standing();
  }

  async read(tagsKey: string, names: readonly string[]): Promise<TagReading> {
    return { ...this.standing(), versions: names.map((name) => this.#version(tagsKey, name)) };
  }

  async invalidate(tagsKey: string, names: readonly string[]): Promise<TagStamp> {
    if (this.#closed) throw new TierkitError('ERR_REDIS_UNAVAILABLE', 'the cache is closed');
    this.#at++;
    for (const name of names) this.#versions.set(`${tagsKey}\n${name}`, this.#at);
    this.#onInvalidated(tagsKey, names, this.standing());
    return this.standing();
  }

  #version(tagsKey: string, name: string): number {
    return this.#versions.peek(`${tagsKey}\n${name}`) ?? this.#floor;
  }
}
