import { TierkitError } from '@tierkit/core';
import type { CacheOptions, TierOptions } from './options.ts';
import type { TiersOptions } from './tiers.ts';

type Known<T> = Readonly<Record<keyof Required<T>, true>>;

const SECTIONS = {
  l1: { maxEntries: true, maxBytes: true, ttl: true },
  load: { lease: true, waitTimeout: true, failureBackoff: true, maxBackground: true },
  memory: { maxEntries: true, maxBytes: true },
  compression: { threshold: true },
  encryption: { keys: true, current: true },
  logging: { accesses: true, keys: true },
} satisfies {
  [Section in 'l1' | 'load' | 'memory' | 'compression' | 'encryption' | 'logging']: Known<Settings<Section>>;
};

type Settings<Section extends keyof CacheOptions> = Exclude<CacheOptions[Section], false | undefined>;

/** Sections that false switches off. */
const SWITCHES: ReadonlySet<string> = new Set(['l1', 'compression']);

const CACHE: Known<CacheOptions> = {
  redis: true,
  durableRedis: true,
  prefix: true,
  l1: true,
  feedTimeout: true,
  maxValueBytes: true,
  memory: true,
  cascade: true,
  load: true,
  reclaim: true,
  compression: true,
  encryption: true,
  logger: true,
  logging: true,
  clock: true,
  telemetry: true,
};

const TIER: Known<TierOptions> = {
  ttl: true,
  sensitive: true,
  grace: true,
  softTimeout: true,
  hardTimeout: true,
  refreshAhead: true,
  jitter: true,
  negativeTtl: true,
  redisTimeout: true,
};

const TIERS: Known<TiersOptions> = { ...CACHE, tiers: true, defaultTtl: true };

/** Names every option that is none or of the wrong kind; values are left to those who use them. */
class Faults {
  readonly #faults: { readonly option: string; readonly message: string }[] = [];

  /** Whether the value is an object, all of whose options are known. */
  object(value: unknown, where: string, known: Readonly<Record<string, true>> | undefined): value is object {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#add(where, `${where === '' ? 'the options' : where} must be an object`);
      return false;
    }
    for (const name of known === undefined ? [] : Object.keys(value)) {
      const option = where === '' ? name : `${where}.${name}`;
      if (!Object.hasOwn(known ?? {}, name)) this.#add(option, `${option} is not an option`);
    }
    return true;
  }

  sections(options: object): void {
    for (const [section, known] of Object.entries(SECTIONS)) {
      const value: unknown = Reflect.get(options, section);
      if (value === undefined || (value === false && SWITCHES.has(section))) continue;
      this.object(value, section, known);
    }
    const cascade: unknown = Reflect.get(options, 'cascade');
    if (cascade !== undefined) this.object(cascade, 'cascade', undefined);
  }

  throwIfAny(): void {
    const [first] = this.#faults;
    if (first === undefined) return;
    const faults = this.#faults.map(({ message }) => message);
    throw new TierkitError('ERR_CACHE_OPTIONS', faults.join('; '), { details: { option: first.option, faults } });
  }

  #add(option: string, message: string): void {
    this.#faults.push({ option, message });
  }
}

/** @throws {TierkitError} `ERR_CACHE_OPTIONS` naming every option that is not known, in `tiers` too */
export function checkTiersOptions(options: unknown): void {
  const faults = new Faults();
  if (faults.object(options, '', TIERS)) {
    faults.sections(options);
    const tiers: unknown = Reflect.get(options, 'tiers');
    if (tiers !== undefined && faults.object(tiers, 'tiers', undefined)) {
      for (const [name, tier] of Object.entries(tiers)) faults.object(tier, `tiers.${name}`, TIER);
    }
  }
  faults.throwIfAny();
}

/** As {@link checkTiersOptions} for a cache without tiers, whose options are those of its one tier as well. */
export function checkCacheOptions(options: unknown): void {
  const faults = new Faults();
  if (faults.object(options, '', { ...CACHE, ...TIER })) faults.sections(options);
  faults.throwIfAny();
}

/** @throws {TierkitError} `ERR_CACHE_OPTIONS` */
export function checkTierOptions(name: string, options: unknown): void {
  const faults = new Faults();
  faults.object(options, `tiers.${name}`, TIER);
  faults.throwIfAny();
}
