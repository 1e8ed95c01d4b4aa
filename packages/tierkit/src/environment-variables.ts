import { isIP } from 'node:net';
import { z } from 'zod';
import { shownValue, type EnvironmentFault } from './environment-faults.ts';
import type { LogLevel } from './level-logger.ts';

/** What `process.env` is: a record of strings. */
export type Environment = Readonly<Record<string, string | undefined>>;

const flag = z.stringbool({
  truthy: ['true', '1', 'yes', 'on'],
  falsy: ['false', '0', 'no', 'off'],
  error: 'expected true, 1, yes, on, false, 0, no or off',
});

function whole(min: number, max: number): z.ZodType<number, string> {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, { error })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Seconds, as `300` or `0.5`, or with a unit, as `5m`; the result is in milliseconds. */
function seconds(maxMs: number, limit: string): z.ZodType<number, string> {
  const error = `expected a number of seconds such as 300 or 0.5, or a duration such as 5m, of at least 1 ms and at most ${limit}`;
  return z
    .string()
    .transform((text, context) => {
      const [, amount, unit = 's'] = /^(\d{1,12}(?:\.\d{1,6})?) ?(ms|s|m|h|d)?$/.exec(text) ?? [];
      const ms = Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]);
      if (ms >= 1 && ms <= maxMs) return ms;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .pipe(z.number());
}

const timeout = seconds(600_000, '10 minutes');
export const ttl: z.ZodType<number, string> = seconds(365 * 86_400_000, '365 days');

const redisUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^rediss?:\/\//i.test(text) && isPlain(url)) return url;
  context.addIssue({
    code: 'custom',
    message:
      'expected redis://[user:password@]host[:port][/db], or rediss:// for TLS; special characters of a password are percent-encoded',
  });
  return z.NEVER;
});

function isPlain({ hostname, port, pathname, search, hash, username, password }: URL): boolean {
  if (hostname === '' || port === '0' || !/^\/?\d{0,5}$/.test(pathname) || search !== '' || hash !== '') return false;
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

const host = z.string().refine((text) => /^[\w.-]+$/.test(text) || (isIP(text) !== 0 && !text.includes('%')), {
  error: 'expected the name or the IP address of a host, without port and scheme',
});

const password = z
  .string()
  .refine((text) => !/[\r\n\0]/.test(text), {
    error: 'expected one line; a file that it was read from may end in a line break',
  })
  .refine((text) => text.isWellFormed(), { error: 'expected well-formed Unicode' });

const address = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const nodes = z
  .string()
  .transform((text) => text.split(',').map((node) => node.trim()))
  .refine((all) => all.every((node) => address.test(node)), {
    error: 'expected addresses such as 10.0.0.1:6379,10.0.0.2:6379',
  });
const masterName = z
  .string()
  .regex(/^[\w.-]{1,200}$/, { error: 'expected the name by which Sentinels know the master' });

const backends = { redis: 'redis', memory: 'memory', locmem: 'memory', null: 'null', dummy: 'null' } as const;
const levels = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  silent: 'silent',
  off: 'silent',
} as const;

function oneOf<const Names extends Readonly<Record<string, string>>>(
  names: Names,
): z.ZodType<Names[keyof Names], string> {
  const error = `expected one of ${Object.keys(names).join(', ')}`;
  return z.string().transform((text, context) => {
    const name = text.toLowerCase();
    if (Object.hasOwn(names, name)) return names[name] as Names[keyof Names];
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

/** What the variables with a fixed name say; times are in milliseconds. */
export interface Values {
  readonly CACHE_BACKEND?: 'redis' | 'memory' | 'null';
  readonly CACHE_ENABLED?: boolean;
  readonly CACHE_REDIS_URL?: URL;
  readonly CACHE_TTL?: number;
  readonly CACHE_DEFAULT_TTL?: number;
  readonly CACHE_DEFAULT_TIMEOUT?: number;
  readonly REDIS_ENABLED?: boolean;
  readonly REDIS_URL?: URL;
  readonly REDIS_HOST?: string;
  readonly REDIS_PORT?: number;
  readonly REDIS_DB?: number;
  readonly REDIS_PASSWORD?: string;
  readonly REDIS_CLUSTER?: boolean;
  readonly REDIS_SENTINEL_NAME?: string;
  readonly REDIS_SENTINEL_PASSWORD?: string;
  readonly REDIS_NODES?: readonly string[];
  readonly REDIS_MAX_CONNECTIONS?: number;
  readonly REDIS_SOCKET_TIMEOUT?: number;
  readonly REDIS_SOCKET_CONNECT_TIMEOUT?: number;
  readonly REDIS_HEALTH_CHECK_INTERVAL?: number;
  readonly LOG_LEVEL?: LogLevel;
}

/** Every variable with a fixed name that tierkit reads; the times to live of single tiers are in `environment-ttls.ts`. */
export const variables: { readonly [Name in keyof Values]-?: z.ZodType<NonNullable<Values[Name]>, string> } = {
  CACHE_BACKEND: oneOf(backends),
  CACHE_ENABLED: flag,
  CACHE_REDIS_URL: redisUrl,
  CACHE_TTL: ttl,
  CACHE_DEFAULT_TTL: ttl,
  CACHE_DEFAULT_TIMEOUT: ttl,
  REDIS_ENABLED: flag,
  REDIS_URL: redisUrl,
  REDIS_HOST: host,
  REDIS_PORT: whole(1, 65_535),
  REDIS_DB: whole(0, 65_535),
  REDIS_PASSWORD: password,
  REDIS_CLUSTER: flag,
  REDIS_SENTINEL_NAME: masterName,
  REDIS_SENTINEL_PASSWORD: password,
  REDIS_NODES: nodes,
  REDIS_MAX_CONNECTIONS: whole(1, 1_000),
  REDIS_SOCKET_TIMEOUT: timeout,
  REDIS_SOCKET_CONNECT_TIMEOUT: timeout,
  REDIS_HEALTH_CHECK_INTERVAL: timeout,
  LOG_LEVEL: oneOf(levels),
};

/** A variable that is missing or blank is unset, as in the usual `.env` line `REDIS_PASSWORD=`. */
export function given(environment: Environment, name: string): string | undefined {
  const text = environment[name];
  if (text === undefined || text.trim() === '') return undefined;
  // Kubernetes and Docker links set REDIS_PORT=tcp://10.0.0.1:6379 for a service that is called "redis".
  if (name === 'REDIS_PORT' && text.startsWith('tcp://')) return undefined;
  return variables[name as keyof Values] === password ? text : text.trim();
}

/** Reads one variable; a value that cannot be used becomes a fault and counts as unset. */
export function readVariable<T>(
  schema: z.ZodType<T, string>,
  environment: Environment,
  name: string,
  faults: EnvironmentFault[],
): T | undefined {
  const text = given(environment, name);
  if (text === undefined) return undefined;
  const result = schema.safeParse(text);
  if (result.success) return result.data;
  faults.push({ variable: name, reason: `${result.error.issues[0]?.message}, got ${shownValue(name, text)}` });
  return undefined;
}

/** Reads all variables with a fixed name. */
export function readVariables(environment: Environment, faults: EnvironmentFault[]): Values {
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables)) {
    const value = readVariable<unknown>(schema, environment, name, faults);
    if (value !== undefined) values[name] = value;
  }
  return values;
}
