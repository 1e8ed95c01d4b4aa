import { encodeKey, TierkitError } from '@tierkit/core';

const MAX_LENGTH = 512;
/** Tags of one entry. */
const MAX_PER_ENTRY = 64;
/** Tags that one call invalidates, those that they imply included. */
const MAX_PER_CALL = 1_000;

const NONE: readonly string[] = [];

/** Which tags are invalidated along with a tag. */
export type Cascade = Readonly<Record<string, readonly string[]>>;

/** The tags of an entry, each once, as they are stored. @throws {TierkitError} `ERR_CACHE_TAGS` */
export function entryTags(tags: readonly string[] | undefined): readonly string[] {
  return tags === undefined ? NONE : encodeTags(tags, MAX_PER_ENTRY);
}

/** The tags of a call that invalidates them, as they are stored. @throws {TierkitError} `ERR_CACHE_TAGS` */
export function callTags(tags: readonly string[]): readonly string[] {
  return encodeTags(tags, MAX_PER_CALL);
}

/** What is invalidated by which call, with all that follows from it. */
export class ImpliedTags {
  /** As they are stored, all of them. */
  readonly #implied = new Map<string, readonly string[]>();

  /** @throws {TierkitError} `ERR_CACHE_TAGS` */
  constructor(cascade: Cascade) {
    const direct = new Map<string, readonly string[]>();
    for (const [tag, tags] of Object.entries(cascade)) direct.set(encodeTag(tag), encodeTags(tags, MAX_PER_CALL));
    for (const tag of direct.keys()) {
      // A set that grows while it is walked; a circle adds nothing to it.
      const reached = new Set([tag]);
      for (const each of reached) {
        for (const implied of direct.get(each) ?? NONE) reached.add(implied);
        if (reached.size > MAX_PER_CALL) throw invalid(`"${tag}" implies more than ${MAX_PER_CALL} tags`);
      }
      this.#implied.set(tag, [...reached]);
    }
  }

  /** The tags to invalidate, as they are stored. @throws {TierkitError} `ERR_CACHE_TAGS` */
  of(tags: readonly string[]): readonly string[] {
    const given = callTags(tags);
    if (this.#implied.size === 0) return given;
    const all = new Set(given);
    for (const tag of given) for (const implied of this.#implied.get(tag) ?? NONE) all.add(implied);
    if (all.size > MAX_PER_CALL) throw invalid(`more than ${MAX_PER_CALL} tags at once, those implied included`);
    return [...all];
  }
}

function encodeTags(tags: readonly string[], most: number): readonly string[] {
  if (!Array.isArray(tags)) throw invalid('tags must be a list of strings');
  if (tags.length > most) throw invalid(`more than ${most} tags`);
  const given: readonly unknown[] = tags;
  return [...new Set(given.map(encodeTag))];
}

function encodeTag(tag: unknown): string {
  if (typeof tag !== 'string' || tag === '' || tag.length > MAX_LENGTH || !tag.isWellFormed()) {
    throw invalid(`a tag must be a text of 1 to ${MAX_LENGTH} characters`);
  }
  return encodeKey(tag);
}

function invalid(rule: string): TierkitError<'ERR_CACHE_TAGS'> {
  return new TierkitError('ERR_CACHE_TAGS', rule);
}
