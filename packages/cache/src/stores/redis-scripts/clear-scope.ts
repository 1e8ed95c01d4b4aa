import { defineScript } from '@tierkit/redis';

/**
 * Replaces the generation of a scope, which ends all its entries and leases at once, and announces it.
 *
 * A scope with a slot of its own needs no new generation until something is written to it. The root gets one at once,
 * since its writers bring the generation that they know.
 *
 * @returns the generation that ended, null when there was none
 */
export const clearScope = defineScript({
  name: 'cache-clear-scope',
  keys: ['generation'],
  args: { freshGeneration: 'bytes', ttlMs: 'integer', channel: 'string', message: 'string' },
  replyAs: 'buffer',
  reply: (raw): Buffer | null => (Buffer.isBuffer(raw) ? raw : null),
  lua: `
local ended = redis.call('GET', generation)
-- A server that is full refuses the SET; without a generation there is no entry either.
local set = #freshGeneration == 8 and redis.pcall('SET', generation, freshGeneration, 'PX', ttlMs)
if not set or set.err then redis.call('UNLINK', generation) end
redis.call('PUBLISH', channel, message)
return ended
`,
});
