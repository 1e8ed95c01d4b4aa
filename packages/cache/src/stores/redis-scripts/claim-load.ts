import { defineScript } from '@tierkit/redis';
import type { TagStamp } from '../../tags/stamped-tags.ts';
import { currentGeneration, generationOf, serverTime } from './generation.ts';
import { noteOf } from './lease.ts';

export type ClaimReply =
  | { readonly kind: 'hit'; readonly bytes: Buffer }
  | { readonly kind: 'granted'; readonly generation: Buffer; readonly stale: Buffer; readonly tags: TagStamp }
  | { readonly kind: 'held'; readonly remainingMs: number; readonly stale: Buffer }
  | { readonly kind: 'failed'; readonly remainingMs: number; readonly stale: Buffer; readonly note: Buffer };

/**
 * Answers an entry that stays fresh for more than `hitAboveMs`, or grants the lease to load it, or tells for how long
 * somebody else may still hold that lease; who holds it learns that somebody waits. After a load that failed it tells
 * why, until the next one may begin. With the last three comes the entry that is there, empty for none.
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
    hitAboveMs: 'integer',
  },
  replyAs: 'buffer',
  reply: (raw): ClaimReply => {
    const [kind, value, stale, third, fourth] = raw as [number, Buffer | number, Buffer, Buffer?, Buffer?];
    if (kind === 1) return { kind: 'hit', bytes: value as Buffer };
    if (kind === 2) {
      const tags = { table: Number(third ?? 0), at: Number(fourth ?? 0) };
      return { kind: 'granted', generation: value as Buffer, stale, tags };
    }
    const remainingMs = Number(value);
    if (kind === 3) return { kind: 'held', remainingMs, stale };
    return { kind: 'failed', remainingMs, stale, note: third as Buffer };
  },
  lua: `
${generationOf}
${noteOf}
local bytes = redis.call('GET', entry)
local stale = ''
if bytes then
  local alive = knownGeneration
  if generation[1] then alive = redis.call('GET', generation[1]) end
  if alive and generationOf(bytes) == alive then
    if unreadable == '' or redis.sha1hex(bytes) ~= unreadable then
      local expiresAtMs, freshUntilMs = struct.unpack('>dd', bytes, 4)
      -- Without a grace it is fresh as long as it is there.
      if hitAboveMs == 0 and freshUntilMs == expiresAtMs then return { 1, bytes } end
${serverTime}
      if freshUntilMs - nowMs > hitAboveMs then return { 1, bytes } end
      stale = bytes
    end
  end
end
${currentGeneration}
local holder = redis.call('GET', lease)
-- A lease of an ended generation guards a load whose result nobody can see.
if not holder or string.sub(holder, 1, 8) ~= current then
  redis.call('SET', lease, current .. token, 'PX', leaseMs)
  local tags = generation[2] and redis.pcall('ZMSCORE', generation[2], ' epoch', ' at') or {}
  return { 2, current, stale, tags[1], tags[2] }
end
local note = noteOf(holder)
if note then return { 4, redis.call('PTTL', lease), stale, note } end
if string.sub(holder, -1) ~= '+' then redis.call('SET', lease, holder .. '+', 'KEEPTTL') end
return { 3, redis.call('PTTL', lease), stale }
`,
});
