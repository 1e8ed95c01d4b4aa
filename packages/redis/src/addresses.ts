import type { OptionFaults } from './option-faults.ts';
import type { Endpoint, RedisAddress } from './options.ts';

/** What a Redis URL says. */
export interface UrlParts {
  readonly host: string;
  readonly port: number;
  readonly db?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls: boolean;
}

/** Parses a Redis URL; what is wrong with it goes to `faults`, without any of its text. */
export function parseRedisUrl(option: string, text: unknown, faults: OptionFaults): UrlParts | undefined {
  const url = typeof text === 'string' ? tryUrl(text) : undefined;
  // Without the slashes "redis:6379" would be read as a database number on localhost.
  if (url === undefined || !/^rediss?:\/\//i.test(String(text))) {
    faults.add(`${option} must be a URL like redis://user:password@host:6379/0, or rediss:// for TLS`);
    return undefined;
  }
  if (url.search !== '' || url.hash !== '') faults.add(`${option} has a query or fragment; use options instead`);
  const path = url.pathname.replace(/^\//, '');
  if (path !== '' && !/^\d{1,9}$/.test(path)) faults.add(`${option} must have a database number as its path`);
  return {
    host: url.hostname === '' ? 'localhost' : url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    db: path === '' ? undefined : Number(path),
    username: decoded(`${option}'s user name`, url.username, faults),
    password: decoded(`${option}'s password`, url.password, faults),
    tls: url.protocol === 'rediss:',
  };
}

/** Parses `host:port`, a bare host, or an address object. */
export function parseAddress(option: string, value: unknown, defaultPort: number, faults: OptionFaults): Endpoint {
  const parts = typeof value === 'string' ? splitAddress(value, defaultPort) : (value as RedisAddress | null);
  if (typeof parts?.host !== 'string' || parts.host === '') {
    faults.add(`${option} must be an address: 'host:port' or { host, port }`);
    return { host: '', port: defaultPort };
  }
  return { host: parts.host, port: faults.integer(`${option}'s port`, parts.port, 1, 65_535, defaultPort) };
}

function splitAddress(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:@/\s]+))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? '', port: port === undefined ? defaultPort : Number(port) };
}

// The error of `new URL` carries the whole text, password included, so it must not go anywhere.
function tryUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function decoded(what: string, text: string, faults: OptionFaults): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    faults.add(`${what} is not percent-encoded correctly`);
    return undefined;
  }
}
