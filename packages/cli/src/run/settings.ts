import { parseDuration, silentLogger } from '@tierkit/core';
import type { RedisOptions } from '@tierkit/redis';
import { cliError } from '../errors.ts';
import type { CliHost, KitOptions } from '../host.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The options that every command has. */
export interface CommonOptions {
  readonly url?: string;
  readonly db?: string;
  readonly prefix?: string;
  readonly timeout?: string;
  readonly json?: boolean;
  readonly admin?: string;
}

export function timeoutOf({ timeout = '5s' }: CommonOptions): number {
  return parseDuration(timeout, '--timeout', { maxMs: 600_000 });
}

/**
 * Where Redis is: what `fromEnvironment` makes of the variables, after `--url` and `--db` have taken the place of theirs.
 *
 * @throws {TierkitError} `ERR_TIERKIT_ENVIRONMENT`, `ERR_CLI_USAGE`
 */
export function kitOptions(host: CliHost, environment: Environment, options: CommonOptions): KitOptions {
  const given = withArguments(environment, options);
  const quiet = given['LOG_LEVEL'] === undefined ? { logger: silentLogger } : {};
  const kit = host.fromEnvironment(given, quiet);
  if (kit.redis === 'memory' || kit.redis === 'null') {
    throw cliError(
      'ERR_CLI_USAGE',
      'the environment asks for a cache without Redis, where there is nothing to look at',
    );
  }
  const prefix = options.prefix ?? variable(environment, 'TIERKIT_PREFIX') ?? kit.prefix ?? '';
  if (!/^[\w.:-]{0,128}$/.test(prefix)) {
    throw cliError('ERR_CLI_USAGE', '--prefix takes letters, digits and _ . : -, 128 characters at most');
  }
  const { durableRedis } = kit;
  return {
    ...kit,
    prefix,
    redis: patient(kit.redis, options),
    ...(durableRedis === undefined ? {} : { durableRedis: patient(durableRedis, options) }),
  };
}

/** Undefined for one that is blank, as in the environment of a service. */
export function variable(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim();
  return text === '' ? undefined : text;
}

/** A person waits longer for one answer than a service does for its cache. */
function patient(redis: KitOptions['redis'], options: CommonOptions): RedisOptions {
  const known: RedisOptions = typeof redis === 'string' ? { url: redis } : (redis as RedisOptions);
  const timeoutMs = timeoutOf(options);
  return {
    ...known,
    commandTimeout: known.commandTimeout ?? timeoutMs,
    socketTimeout: known.socketTimeout ?? timeoutMs + 1_000,
    connectTimeout: known.connectTimeout ?? timeoutMs,
    clientName: 'tierkit-cli',
  };
}

const WHERE = [
  ...['REDIS_URL', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_DB', 'CACHE_REDIS_URL'],
  ...['REDIS_CLUSTER', 'REDIS_SENTINEL_NAME', 'REDIS_SENTINEL_PASSWORD', 'REDIS_NODES'],
] as const;

function withArguments(environment: Environment, { url, db }: CommonOptions): Record<string, string | undefined> {
  const given: Record<string, string | undefined> = { ...environment };
  if (url !== undefined) {
    for (const name of WHERE) delete given[name];
    given['REDIS_URL'] = withoutPassword(url);
    delete given['CACHE_BACKEND'];
  }
  if (db !== undefined) {
    if (!/^\d{1,5}$/.test(db)) throw cliError('ERR_CLI_USAGE', '--db takes a whole number');
    for (const name of ['REDIS_URL', 'CACHE_REDIS_URL']) {
      const text = given[name];
      if (text !== undefined && URL.canParse(text)) given[name] = inDatabase(text, db);
    }
    if (given['REDIS_URL'] === undefined) given['REDIS_DB'] = db;
    else delete given['REDIS_DB'];
  }
  return given;
}

function withoutPassword(url: string): string {
  if (URL.canParse(url) && new URL(url).password !== '') {
    const message = 'a password in --url can be read by everybody on this machine: set REDIS_URL or REDIS_PASSWORD';
    throw cliError('ERR_CLI_USAGE', message);
  }
  return url;
}

function inDatabase(text: string, db: string): string {
  const url = new URL(text);
  url.pathname = `/${db}`;
  return url.href;
}
