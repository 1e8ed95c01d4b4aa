import { TierkitError, type Frozen, type Key } from '@tierkit/core';
import { hashContent, normaliseLines, type Content, type Normalise } from './content-hash.ts';
import type { LoadedType, LoaderContext } from '../loads/loader-context.ts';
import { positiveInteger } from '../options.ts';
import type { Scope } from '../scope.ts';
import type { ConfirmOptions, LoadOptions, WriteOptions } from '../scope-options.ts';

export interface ContentOptions {
  /**
   * What makes two contents one, or false to tell apart whatever differs by a byte. Another function needs another name
   * or version.
   *
   * @default line ends become `\n`, spaces and tabs at the ends of lines go
   */
  readonly normalise?: Normalise | false;
  /** A part of the key: what reads the content as another language has results of its own. */
  readonly language?: string;
  /** A part of the key: what a new analyser finds replaces nothing, and what an old one found is not asked for. */
  readonly version?: string | number;
  /** The most bytes of content, as UTF-8, that are hashed. @default 8 MiB */
  readonly maxContentBytes?: number;
}

/** What is done with a key, whichever cache it is. */
type Keyed = Pick<Scope, 'get' | 'set' | 'getOrSet' | 'delete'>;

/**
 * Results by what they were made from: whoever brings the same content, normalised, meets the same entry.
 *
 * Keys read `name:hash`, or `name:language:version:hash` if a language or version is given, with `-` for the one that
 * is not.
 */
export class ContentCache {
  readonly #cache: Keyed;
  readonly #segments: readonly (string | number)[];
  readonly #normalise: Normalise | false;
  readonly #maxBytes: number;

  /** @internal */
  constructor(cache: Keyed, name: string, options: ContentOptions = {}) {
    const { language, version } = options;
    for (const part of [name, language, version]) {
      if (part !== '-' && part !== '') continue;
      const message = 'the name, language and version of a content cache must be neither empty nor "-"';
      throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'content' } });
    }
    this.#cache = cache;
    this.#segments = language === undefined && version === undefined ? [name] : [name, language ?? '-', version ?? '-'];
    this.#normalise = options.normalise ?? normaliseLines;
    this.#maxBytes = positiveInteger(options.maxContentBytes, 8_388_608, 'maxContentBytes');
  }

  /** The key of a content's entry in its scope. @throws {TierkitError} `ERR_CONTENT_INVALID` */
  keyOf(content: Content): Key {
    return [...this.#segments, hashContent(content, this.#normalise, this.#maxBytes)];
  }

  /** The result for this content, or undefined. @throws {TierkitError} `ERR_CONTENT_INVALID`, as all methods */
  async get<T = unknown>(content: Content): Promise<Frozen<T> | undefined> {
    return this.#cache.get<T>(this.keyOf(content));
  }

  /** Stores the result for this content. @returns whether Redis confirmed */
  async set(content: Content, value: unknown, options?: WriteOptions): Promise<boolean> {
    return this.#cache.set(this.keyOf(content), value, options);
  }

  /**
   * The result for this content, made once for all who bring it, in whichever process. The loader should work on the
   * content as it is given: positions in it hold for every content with the same normal form.
   */
  async getOrSet<T, Stale = unknown>(
    content: Content,
    loader: (context: LoaderContext<Stale>) => T | Promise<T>,
    options?: LoadOptions,
  ): Promise<LoadedType<T>> {
    return this.#cache.getOrSet(this.keyOf(content), loader, options);
  }

  /** Deletes the result for this content. @returns whether Redis confirmed */
  async delete(content: Content, options?: ConfirmOptions): Promise<boolean> {
    return this.#cache.delete(this.keyOf(content), options);
  }
}
