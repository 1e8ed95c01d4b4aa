import { bytes } from '../output/units.ts';
import type { Finding, InfoFields, Purpose } from './finding.ts';

const check = 'eviction';

const SEPARATE =
  'give what must last a Redis of its own with maxmemory-policy noeviction: REDIS_URL names that one, and CACHE_REDIS_URL the one that may evict';

/**
 * Whether what may go is evicted when memory is full, and nothing else. A cache wants to lose its oldest entries rather than
 * refuse writes; locks, quotas, streams and what is written behind must never be lost to make room.
 */
export function checkEviction(info: InfoFields, purpose: Purpose): Finding {
  const policy = info.get('maxmemory_policy') ?? '';
  const limit = Number(info.get('maxmemory') ?? 0);
  const evicted = Number(info.get('evicted_keys') ?? 0);
  const found = [
    policy === '' ? 'unknown policy' : policy,
    limit > 0 ? `maxmemory ${bytes(limit)}` : 'no maxmemory',
    ...(evicted > 0 ? [`${evicted} keys evicted so far`] : []),
  ].join(', ');
  const say = (status: Finding['status'], advice?: string): Finding =>
    advice === undefined ? { check, status, found } : { check, status, found, advice };
  const evicts = policy !== 'noeviction' && policy !== '';
  if (policy === '') return say('warn', 'the server does not say what it evicts: look at its configuration');
  if (purpose === 'durable') {
    if (evicts)
      return say(
        'fail',
        `locks, quotas, streams and writes behind can be evicted here: set maxmemory-policy noeviction`,
      );
    return limit > 0
      ? say('ok')
      : say('warn', 'set maxmemory below what the machine has, so that Redis refuses writes rather than being killed');
  }
  if (limit === 0) {
    const grows = 'without maxmemory, Redis grows until the machine has none left: set maxmemory';
    return say(
      'warn',
      purpose === 'cache' ? `${grows}, and maxmemory-policy allkeys-lfu` : `${grows}; and ${SEPARATE}`,
    );
  }
  if (purpose === 'cache') {
    if (!evicts)
      return say(
        'warn',
        'once memory is full, the cache can store nothing: set maxmemory-policy allkeys-lfu or allkeys-lru',
      );
    if (policy.endsWith('-random'))
      return say('warn', 'evicting at random loses what is asked for most: set allkeys-lfu or allkeys-lru');
    if (policy.startsWith('volatile-ttl'))
      return say('warn', 'what expires first is not what is needed least: set allkeys-lfu or allkeys-lru');
    return say('ok');
  }
  if (evicts)
    return say(
      policy.startsWith('allkeys') ? 'fail' : 'warn',
      `locks, quotas, streams and writes behind are in the same Redis and can be evicted: ${SEPARATE}`,
    );
  return say(
    'warn',
    `nothing is lost, but once memory is full the cache can store nothing, nor can anything else: ${SEPARATE}`,
  );
}
