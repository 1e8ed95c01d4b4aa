import type { EnvironmentFault } from './environment-faults.ts';
import { checkTopology } from './environment-topology.ts';
import type { Values } from './environment-variables.ts';

/** The Redis servers that the environment names: one for the cache, and one for what must not be evicted. */
export interface EnvironmentServers {
  readonly cache: string | undefined;
  readonly durable: string | undefined;
}

/**
 * Puts the URLs together. `REDIS_URL` is completed by `REDIS_PASSWORD` and `REDIS_DB`, and stands in for
 * `REDIS_HOST` and `REDIS_PORT`; a setting that says something else than the URL is a fault, since guessing between
 * two databases could mix what was kept apart.
 */
export function readServers(values: Values, faults: EnvironmentFault[]): EnvironmentServers {
  const cacheUrl = values.CACHE_REDIS_URL;
  const main = values.REDIS_URL ?? fromHost(values);
  const only = main ?? cacheUrl;
  if (only === undefined) {
    checkTopology(values, undefined, faults);
    return { cache: undefined, durable: undefined };
  }
  const source = values.REDIS_URL !== undefined ? 'REDIS_URL' : main === undefined ? 'CACHE_REDIS_URL' : 'REDIS_HOST';
  const completed = complete(only, source, values, faults);
  checkTopology(values, main === undefined ? undefined : completed, faults);
  if (main === undefined || cacheUrl === undefined) return { cache: completed.href, durable: undefined };
  const cache = new URL(cacheUrl);
  const sameUser = cache.username === '' || cache.username === completed.username;
  if (sameServer(cache, completed) && sameUser && cache.password === '') {
    cache.username = completed.username;
    cache.password = completed.password;
  }
  if (cache.username !== '' && cache.password === '')
    faults.push({ variable: 'CACHE_REDIS_URL', reason: 'names a user without a password' });
  return { cache: cache.href, durable: completed.href };
}

function fromHost(values: Values): URL | undefined {
  if (values.REDIS_HOST === undefined) return undefined;
  const host = values.REDIS_HOST.includes(':') ? `[${values.REDIS_HOST}]` : values.REDIS_HOST;
  return new URL(`redis://${host}:${values.REDIS_PORT ?? 6379}`);
}

function complete(given: URL, source: string, values: Values, faults: EnvironmentFault[]): URL {
  const url = new URL(given);
  const check = (variable: keyof Values, agrees: boolean): void => {
    if (!agrees) faults.push({ variable, reason: `contradicts ${source}; set only one` });
  };
  if (source !== 'REDIS_HOST') {
    const hostname = values.REDIS_HOST?.toLowerCase();
    check('REDIS_HOST', hostname === undefined || hostname === url.hostname.replaceAll(/[[\]]/g, '').toLowerCase());
    check('REDIS_PORT', values.REDIS_PORT === undefined || values.REDIS_PORT === portOf(url));
  }
  const db = values.REDIS_DB;
  if (url.pathname.length <= 1 && db !== undefined) url.pathname = `/${db}`;
  else check('REDIS_DB', db === undefined || db === Number(url.pathname.slice(1)));
  const password = values.REDIS_PASSWORD;
  if (url.password === '' && password !== undefined) url.password = encodeURIComponent(password);
  else check('REDIS_PASSWORD', password === undefined || password === decodeURIComponent(url.password));
  if (url.username !== '' && url.password === '')
    faults.push({ variable: source, reason: 'names a user without a password' });
  return url;
}

const portOf = (url: URL): number => Number(url.port === '' ? '6379' : url.port);
const sameServer = (a: URL, b: URL): boolean =>
  a.protocol === b.protocol && a.hostname.toLowerCase() === b.hostname.toLowerCase() && portOf(a) === portOf(b);
