import type { Tiers } from '@tierkit/cache';

type Call = (tiers: Tiers) => Promise<unknown>;
const isBoolean = (answer: unknown): boolean => typeof answer === 'boolean';

const batch = (keys: readonly string[]): string[] => keys.map(() => 'loaded');
const isLoaded = (answer: unknown): boolean => answer === 'loaded';
const isMissOr = (value: unknown) => (answer: unknown) => answer === undefined || answer === value;

/**
 * Every call of a cache, in a scope of its own so that none hides another, and what it may answer whatever happens to
 * Redis. Those that read never reject, nor do those that write.
 */
export const cacheCalls: Readonly<Record<string, readonly [call: Call, mayAnswer: (answer: unknown) => boolean]>> = {
  'get of what L1 has': [(tiers) => tiers.session('kept').get('k'), (answer) => answer === 'old'],
  'get of a miss': [(tiers) => tiers.session('get').get('k'), isMissOr(undefined)],
  'global get': [(tiers) => tiers.global.get('miss'), isMissOr(undefined)],
  getMany: [(tiers) => tiers.session('getMany').getMany(['a', 'b']), (answer) => String(answer) === ','],
  getOrSet: [(tiers) => tiers.session('getOrSet').getOrSet('k', () => 'loaded'), isLoaded],
  'global getOrSet': [(tiers) => tiers.global.getOrSet('loaded', () => 'loaded'), isLoaded],
  'getOrSet with tags': [(tiers) => tiers.session('tagged').getOrSet('k', () => 'loaded', { tags: ['t'] }), isLoaded],
  getOrSetMany: [
    (tiers) => tiers.session('getOrSetMany').getOrSetMany(['a', 'b'], batch),
    (answer) => String(answer) === 'loaded,loaded',
  ],
  'getOrSet of content': [
    (tiers) =>
      tiers
        .session('content')
        .content('analysis')
        .getOrSet('let x;', () => 'loaded'),
    isLoaded,
  ],
  has: [(tiers) => tiers.session('has').has('k'), isBoolean],
  ttl: [(tiers) => tiers.session('ttl').ttl('k'), (answer) => answer === undefined || Number(answer) > 0],
  set: [(tiers) => tiers.session('set').set('k', 'new'), isBoolean],
  'global set': [(tiers) => tiers.global.set('k', 'new'), isBoolean],
  'set with tags': [(tiers) => tiers.session('set').set('tagged', 'new', { tags: ['t'] }), isBoolean],
  'set, required': [
    (tiers) =>
      tiers
        .session('required')
        .set('k', 'new', { required: true })
        .catch((error: { code?: unknown }) => error.code),
    (answer) => answer === true || answer === 'ERR_CACHE_UNCONFIRMED',
  ],
  setMany: [
    (tiers) =>
      tiers.session('setMany').setMany([
        ['a', 1],
        ['b', 2],
      ]),
    isBoolean,
  ],
  delete: [(tiers) => tiers.session('delete').delete('k'), isBoolean],
  deleteMany: [(tiers) => tiers.session('deleteMany').deleteMany(['k', 'l']), isBoolean],
  clear: [(tiers) => tiers.session('clear').clear(), isBoolean],
  'clear of a root': [(tiers) => tiers.global.clear(), isBoolean],
  invalidateTags: [(tiers) => tiers.session('invalidateTags').invalidateTags(['t']), isBoolean],
  'invalidateTags everywhere': [(tiers) => tiers.invalidateTags(['u']), isBoolean],
  deleteByPattern: [
    (tiers) => tiers.session('deleteByPattern').deleteByPattern('k*'),
    (answer) => isBoolean((answer as { confirmed: unknown }).confirmed),
  ],
  writeThrough: [
    (tiers) => tiers.session('writeThrough').writeThrough('k', 'new', () => 'saved'),
    (answer) => (answer as { saved: unknown }).saved === 'saved',
  ],
  warm: [
    (tiers) => tiers.session('warm').warm([['k', 1]]),
    (answer) => (answer as { complete: unknown }).complete === true,
  ],
  keys: [
    async (tiers) => {
      for await (const key of tiers.session('keys').keys()) void key;
    },
    isMissOr(undefined),
  ],
};

/** The one whose list cannot be half an answer. */
export const mayReject: ReadonlySet<string> = new Set(['keys']);

/** Scopes in which `k` is `'old'` before the fault, and whose call changes it. */
export const changed = ['set', 'required', 'delete', 'deleteMany', 'clear', 'deleteByPattern', 'writeThrough'] as const;
