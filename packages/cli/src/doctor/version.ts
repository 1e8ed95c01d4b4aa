import type { Finding, InfoFields } from './finding.ts';

const check = 'version';

/** Redis 6.2 is the oldest that tierkit works on. */
export function checkVersion(info: InfoFields, cluster: boolean): Finding {
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const found = version === '' ? 'unknown' : version;
  if (version === '' || Number.isNaN(major)) {
    return {
      check,
      status: 'warn',
      found,
      advice: 'tierkit needs Redis 6.2 or newer; this server does not say what it is',
    };
  }
  if (major < 6 || (major === 6 && minor < 2)) {
    return { check, status: 'fail', found, advice: 'tierkit needs Redis 6.2 or newer' };
  }
  if (cluster && major < 7) {
    return { check, status: 'warn', found, advice: 'sharded channels of a Cluster need Redis 7' };
  }
  return { check, status: 'ok', found };
}
