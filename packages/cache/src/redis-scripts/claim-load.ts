import { defineScript } from '@tierkit/redis';
import type { TagStamp } from '../stamped-tags.ts';
import { currentGeneration, generationOf } from './generation.ts';

export type ClaimReply =
  | { readonly kind: 'hit'; readonly bytes: Buffer }
  | { readonly kind: 'granted'; readonly generation: Buffer; readonly tags: TagStamp }
  | { readonly kind: 'held'; readonly remainingMs: number };

/**
 * Answers an entry, or grants the lease to load it, or tells for how long somebody else may still hold that lease; who
 * holds it learns that somebody waits.
 */
export const claimLoad = defineScript({
  name: 'cache-claim-load',
  /** Of a scope with a slot of its own, the generation and the tags. */
  keys: ['entry', 'lease', '...generation'],
  // Text throughout: one Buffer among the arguments would make the client assemble the command from pieces.
  args: {
    ttlMs: 'integer',
    knownGeneration: 'string',
    freshGeneration: 'string',
    token: 'string',
    leaseMs: 'integer',
    /** SHA-1 in hex of an entry that the caller cannot read; '' for none. */
    unreadable: 'string',
  },
  replyAs: 'buffer',
  reply: (raw): ClaimReply => {
    const [kind, value, table, at] = raw as [number, Buffer | number, Buffer?, Buffer?];
    if (kind === 1) return { kind: 'hit', bytes: value as Buffer };
    if (kind === 2)
      return { kind: 'granted', generation: value as Buffer, tags: { table: Number(table ?? 0), at: Number(at ?? 0) } };
    return { kind: 'held', remainingMs: Number(value) };
  },
  lua: `
${generationOf}
local bytes = redis.call('GET', entry)
if bytes then
  local alive = knownGeneration
  if generation[1] then alive = redis.call('GET', generation[1]) end
  if alive and generationOf(bytes) == alive then
    if unreadable == '' or redis.sha1hex(bytes) ~= unreadable then return { 1, bytes } end
  end
end
${currentGeneration}
local holder = redis.call('GET', lease)
-- A lease of an ended generation guards a load whose result nobody can see.
if not holder or string.sub(holder, 1, 8) ~= current then
  redis.call('SET', lease, current .. token, 'PX', leaseMs)
  local tags = generation[2] and redis.pcall('ZMSCORE', generation[2], ' epoch', ' at') or {}
  return { 2, current, tags[1], tags[2] }
end
if string.sub(holder, -1) ~= '+' then redis.call('SET', lease, holder .. '+', 'KEEPTTL') end
return { 3, redis.call('PTTL', lease) }
`,
});
