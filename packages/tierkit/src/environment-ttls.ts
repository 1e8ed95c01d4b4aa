import type { EnvironmentFault } from './environment-faults.ts';
import { given, readVariable, ttl, type Environment, type Values } from './environment-variables.ts';

const defaults = ['CACHE_TTL', 'CACHE_DEFAULT_TTL', 'CACHE_DEFAULT_TIMEOUT'] as const;

/** The one default time to live that the three names for it agree on. */
export function defaultTtl(values: Values, faults: EnvironmentFault[]): number | undefined {
  const [first, ...others] = defaults.filter((name) => values[name] !== undefined);
  if (first === undefined) return undefined;
  for (const name of others)
    if (values[name] !== values[first]) faults.push({ variable: name, reason: `contradicts ${first}; set only one` });
  return values[first];
}

/**
 * The times to live of single tiers: `CACHE_TTL_SEARCH` and `CACHE_SEARCH_TTL` both name the tier `search`. Names are
 * lower-cased and keep their underscores, so `CACHE_TTL_FILE_TREE` is `file_tree`.
 */
export function tierTtls(environment: Environment, faults: EnvironmentFault[]): ReadonlyMap<string, number> {
  const ttls = new Map<string, number>();
  const sources = new Map<string, string>();
  for (const variable of Object.keys(environment).sort()) {
    const name = tierName(variable);
    if (name === undefined || given(environment, variable) === undefined) continue;
    if (!/^[a-z][a-z\d]*(?:_[a-z\d]+)*$/.test(name) || name === 'default') {
      const hint = name === 'default' ? 'the default is CACHE_DEFAULT_TTL' : 'names no tier: expected CACHE_TTL_<NAME>';
      faults.push({ variable, reason: hint });
      continue;
    }
    const ms = readVariable(ttl, environment, variable, faults);
    if (ms === undefined) continue;
    const source = sources.get(name);
    if (source !== undefined && ttls.get(name) !== ms)
      faults.push({ variable, reason: `contradicts ${source}; set only one` });
    ttls.set(name, ms);
    sources.set(name, variable);
  }
  return ttls;
}

function tierName(variable: string): string | undefined {
  if (variable === 'CACHE_DEFAULT_TTL') return undefined;
  const match = /^CACHE_TTL_(.*)$/s.exec(variable) ?? /^CACHE_(.*)_TTL$/s.exec(variable);
  return match?.[1]?.toLowerCase();
}
