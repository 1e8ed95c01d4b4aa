import { TierkitError } from '@tierkit/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/environment-settings.ts';
import { variables, type Environment } from '../src/environment-variables.ts';

function faultsOf(environment: Environment): Record<string, string> {
  try {
    readSettings(environment);
  } catch (error) {
    if (!(error instanceof TierkitError) || error.code !== 'ERR_TIERKIT_ENVIRONMENT') throw error;
    const faults = error.details['faults'] as { variable: string; reason: string }[];
    const lines = faults.map(({ variable, reason }) => `  ${variable}: ${reason}`);
    if (!error.message.endsWith(`:\n${lines.join('\n')}`))
      throw new Error('details and message differ', { cause: error });
    return Object.fromEntries(faults.map(({ variable, reason }) => [variable, reason]));
  }
  return {};
}

const url = { REDIS_URL: 'redis://localhost:6379/0' };

describe('servers', () => {
  it.each<[string, Environment, string | undefined, string | undefined]>([
    ['a URL', url, 'redis://localhost:6379/0', undefined],
    ['TLS and an ACL user', { REDIS_URL: 'rediss://app:s3cret@h:6380/2' }, 'rediss://app:s3cret@h:6380/2', undefined],
    ['a host alone', { REDIS_HOST: 'cache.internal' }, 'redis://cache.internal:6379', undefined],
    ['an IPv6 host that is written in full', { REDIS_HOST: '0:0:0:0:0:0:0:1' }, 'redis://[::1]:6379', undefined],
    [
      'one server without and with TLS; a password never goes to the other one',
      { REDIS_URL: 'rediss://:pw@r', CACHE_REDIS_URL: 'redis://r' },
      'redis://r',
      'rediss://:pw@r',
    ],
    ['an IPv6 host', { REDIS_HOST: '::1', REDIS_PORT: '7000' }, 'redis://[::1]:7000', undefined],
    [
      'host, port, database and password',
      { REDIS_HOST: 'h', REDIS_PORT: '1', REDIS_DB: '3', REDIS_PASSWORD: 'p@ss/w%rd' },
      'redis://:p%40ss%2Fw%25rd@h:1/3',
      undefined,
    ],
    ['a password beside the URL', { ...url, REDIS_PASSWORD: 'pw' }, 'redis://:pw@localhost:6379/0', undefined],
    ['a database beside the URL', { REDIS_URL: 'redis://h', REDIS_DB: '4' }, 'redis://h/4', undefined],
    [
      'parts that say what the URL says',
      { ...url, REDIS_HOST: 'localhost', REDIS_PORT: '6379', REDIS_DB: '0', REDIS_PASSWORD: '' },
      'redis://localhost:6379/0',
      undefined,
    ],
    ['only a URL for the cache', { CACHE_REDIS_URL: 'redis://c', REDIS_PASSWORD: 'pw' }, 'redis://:pw@c', undefined],
    [
      'two servers; a password never goes to the other one',
      { REDIS_URL: 'redis://main', REDIS_PASSWORD: 'pw', CACHE_REDIS_URL: 'redis://cache' },
      'redis://cache',
      'redis://:pw@main',
    ],
    [
      'one server twice',
      { REDIS_URL: 'redis://app@r/0', REDIS_PASSWORD: 'pw', CACHE_REDIS_URL: 'redis://r:6379/1' },
      'redis://app:pw@r:6379/1',
      'redis://app:pw@r/0',
    ],
    [
      'a Kubernetes service link',
      { ...url, REDIS_PORT: 'tcp://10.96.0.7:6379' },
      'redis://localhost:6379/0',
      undefined,
    ],
  ])('%s', (_name, environment, cache, durable) => {
    expect(readSettings(environment).servers).toEqual({ cache, durable });
  });

  it('refuses to guess between two servers, databases or passwords', () => {
    const faults = faultsOf({
      REDIS_URL: 'redis://:one@h:6379/0',
      REDIS_HOST: 'other',
      REDIS_PORT: '6380',
      REDIS_DB: '1',
      REDIS_PASSWORD: 'another',
    });
    expect(Object.keys(faults).sort()).toEqual(['REDIS_DB', 'REDIS_HOST', 'REDIS_PASSWORD', 'REDIS_PORT']);
    expect(faults['REDIS_DB']).toBe('contradicts REDIS_URL; set only one');
  });

  it('refuses a user without a password, which Redis would take for no user', () => {
    expect(faultsOf({ REDIS_URL: 'redis://app@h' })).toEqual({ REDIS_URL: 'names a user without a password' });
    expect(faultsOf({ REDIS_URL: 'redis://:pw@h', CACHE_REDIS_URL: 'redis://app@h' })).toEqual({
      CACHE_REDIS_URL: 'names a user without a password',
    });
    expect(faultsOf({ REDIS_HOST: 'fe80::1%eth0' })['REDIS_HOST']).toContain('expected the name or the IP address');
  });

  it('asks for a server unless told to do without', () => {
    expect(faultsOf({})['REDIS_URL']).toContain('neither REDIS_URL nor REDIS_HOST is set');
    expect(faultsOf({ REDIS_HOST: 'h', REDIS_PASSWORD: '\ud800' })).toHaveProperty('REDIS_PASSWORD');
    expect(faultsOf({ CACHE_BACKEND: 'redis', REDIS_PASSWORD: 'x' })['REDIS_URL']).toBeDefined();
    expect(readSettings({ CACHE_BACKEND: 'locmem', REDIS_PASSWORD: 'x' }).backend).toBe('memory');
  });
});

describe('backend', () => {
  it.each<[Environment, 'redis' | 'memory' | 'null']>([
    [url, 'redis'],
    [{ ...url, CACHE_BACKEND: 'REDIS', CACHE_ENABLED: 'yes', REDIS_ENABLED: 'on' }, 'redis'],
    [{ CACHE_BACKEND: 'memory' }, 'memory'],
    [{ CACHE_BACKEND: ' locmem ' }, 'memory'],
    [{ CACHE_BACKEND: 'null' }, 'null'],
    [{ CACHE_BACKEND: 'dummy' }, 'null'],
    [{ ...url, CACHE_ENABLED: 'false' }, 'null'],
    [{ ...url, REDIS_ENABLED: '0' }, 'null'],
    [{ REDIS_ENABLED: 'off', CACHE_BACKEND: 'memory' }, 'memory'],
    [{ CACHE_ENABLED: 'No', CACHE_BACKEND: 'memory' }, 'null'],
  ])('%o is %s', (environment, backend) => {
    expect(readSettings(environment).backend).toBe(backend);
  });
});

describe('times to live', () => {
  it('are seconds, fractions of seconds, or durations with a unit', () => {
    const { tierTtlsMs } = readSettings({
      ...url,
      CACHE_TTL_THERMAL: '300',
      CACHE_TTL_SEARCH: '0.5',
      CACHE_HERO_TTL: '5m',
      CACHE_TTL_FILE_TREE: '250ms',
      CACHE_SESSION_TTL: '60',
      CACHE_STORY_TTL: '',
    });
    expect(Object.fromEntries(tierTtlsMs)).toEqual({
      thermal: 300_000,
      search: 500,
      hero: 300_000,
      file_tree: 250,
      session: 60_000,
    });
  });

  it.each(['CACHE_TTL', 'CACHE_DEFAULT_TTL', 'CACHE_DEFAULT_TIMEOUT'])('%s is the default', (name) => {
    expect(readSettings({ ...url, [name]: '300' })).toMatchObject({ defaultTtlMs: 300_000, tierTtlsMs: new Map() });
  });

  it('names that disagree are faults, names that agree are not', () => {
    expect(readSettings({ ...url, CACHE_TTL: '300', CACHE_DEFAULT_TTL: '5m' }).defaultTtlMs).toBe(300_000);
    expect(
      faultsOf({ ...url, CACHE_TTL: '300', CACHE_DEFAULT_TIMEOUT: '301', CACHE_TTL_HERO: '1', CACHE_HERO_TTL: '2' }),
    ).toEqual({
      CACHE_DEFAULT_TIMEOUT: 'contradicts CACHE_TTL; set only one',
      CACHE_TTL_HERO: 'contradicts CACHE_HERO_TTL; set only one',
    });
  });

  it('a variable that names no tier is a fault', () => {
    const names = ['CACHE_TTL_', 'CACHE_TTL_A B', 'CACHE_TTL___PROTO__', 'CACHE_TTL_DEFAULT', 'CACHE_1_TTL'];
    expect(Object.keys(faultsOf({ ...url, ...Object.fromEntries(names.map((name) => [name, '1'])) })).sort()).toEqual(
      names.sort(),
    );
  });
});

describe('faults', () => {
  it('are all named in one error, each with what it expects', () => {
    const faults = faultsOf({
      REDIS_URL: 'http://localhost',
      REDIS_HOST: 'redis://localhost',
      REDIS_PORT: '65536',
      REDIS_DB: '-1',
      REDIS_ENABLED: 'maybe',
      REDIS_MAX_CONNECTIONS: '0',
      REDIS_SOCKET_TIMEOUT: 'soon',
      REDIS_SOCKET_CONNECT_TIMEOUT: '0',
      REDIS_HEALTH_CHECK_INTERVAL: '-5',
      CACHE_ENABLED: '2',
      CACHE_BACKEND: 'memcached',
      CACHE_REDIS_URL: 'localhost:6379',
      CACHE_TTL: 'NaN',
      CACHE_DEFAULT_TTL: '1e3',
      CACHE_DEFAULT_TIMEOUT: '0x10',
      CACHE_TTL_HERO: 'Infinity',
      LOG_LEVEL: 'loud',
    });
    expect(faults).toMatchObject({
      REDIS_URL: expect.stringContaining('got "http://localhost"') as string,
      REDIS_PORT: 'expected a whole number from 1 to 65535, got "65536"',
      CACHE_BACKEND: 'expected one of redis, memory, locmem, null, dummy, got "memcached"',
      LOG_LEVEL: expect.stringContaining('debug, info, warn') as string,
    });
    expect(Object.keys(faults)).toHaveLength(17);
  });

  it('every known variable can be faulty', () => {
    const bad = Object.fromEntries(Object.keys(variables).map((name) => [name, '\r\n\0 :x\r\n\0:']));
    expect(Object.keys(faultsOf(bad)).sort()).toEqual(Object.keys(variables).sort());
  });

  const secret = fc.string({ minLength: 8, maxLength: 30, unit: 'grapheme-ascii' }).map((text) => `S3cr3t${text}`);

  it('never show a password, wherever in a URL it stands and however broken the URL is', () => {
    const place = fc.constantFrom<(pw: string) => string>(
      (pw) => `redis://:${pw}@host:port/x`,
      (pw) => `redis://user:${pw}@`,
      (pw) => `http://user:${pw}@host/0`,
      (pw) => `redis:${pw}`,
      (pw) => `user:${pw}@host:6379`,
      (pw) => `redis://:${pw}`,
      (pw) => `redis://host/db?password=${pw}`,
      (pw) => `redis://a:b@host/db#${pw}`,
      (pw) => `redis://:${pw}%@host`,
    );
    fc.assert(
      fc.property(secret, place, fc.constantFrom('REDIS_URL', 'CACHE_REDIS_URL'), (pw, put, name) => {
        const shown = JSON.stringify(faultsOf({ REDIS_URL: 'redis://h', [name]: put(pw), LOG_LEVEL: 'x' }));
        expect(shown).toContain('LOG_LEVEL');
        expect(shown).not.toContain('S3cr3t');
      }),
    );
  });

  it('never show a password that a contradiction or a line break is about, or a URL in the wrong variable', () => {
    fc.assert(
      fc.property(secret, (pw) => {
        const environments = [
          { REDIS_URL: 'redis://:other@h', REDIS_PASSWORD: pw },
          { ...url, REDIS_PASSWORD: `${pw}\n` },
          { REDIS_HOST: `redis://:${encodeURIComponent(pw)}@h` },
          { ...url, REDIS_PORT: `:${pw}@h` },
        ];
        for (const environment of environments) {
          const faults = faultsOf(environment);
          expect(Object.keys(faults)).not.toEqual([]);
          expect(JSON.stringify(faults)).not.toContain('S3cr3t');
        }
      }),
    );
  });

  it('whatever the record holds, it is read or refused with the one error', () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.keys(variables), 'CACHE_TTL_X', 'CACHE_Y_TTL', '__proto__'),
      fc.string(),
    );
    const value = fc.oneof(
      fc.constantFrom('1', '0', '', 'true', 'redis://h', 'redis://:p@h/1', 'memory', 'debug', '5m'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), (environment) => {
        faultsOf(environment);
      }),
      { numRuns: 500 },
    );
  });

  it('any password survives the way into the URL', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (pw) => {
        fc.pre(pw.trim() !== '' && !/[\r\n\0]/.test(pw) && pw.isWellFormed());
        const { cache } = readSettings({ ...url, REDIS_PASSWORD: pw }).servers;
        expect(decodeURIComponent(new URL(cache as string).password)).toBe(pw);
        expect(readSettings({ REDIS_URL: cache, REDIS_PASSWORD: pw }).servers.cache).toBe(cache);
      }),
    );
  });
});
