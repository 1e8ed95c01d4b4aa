import { defineScript } from '@tierkit/redis';
import { currentGeneration, headerAtNow } from '../../stores/redis-scripts/generation.ts';
import { serverMicros } from './server-micros.ts';

export const CLOSED = -1;
export const FULL = -2;
const OTHER_QUEUE = -3;

/**
 * Keeps writes of one scope and changes its cached entries, all in one step; a write that is refused changes nothing.
 *
 * The queue is in use in the scope while its field ` open:` holds the number of its registration. A worker that takes the
 * scope off the list turns that number below zero, and then only a later registration opens it: so no write is ever kept
 * in a scope that is not on the list.
 *
 * A write of a name that waits already takes the place of the older one and keeps its turn.
 */
export const enqueueWrites = defineScript({
  name: 'cache-enqueue-writes',
  /** Then an entry and a lease for each write, and the generation; nothing where the cache is elsewhere. */
  keys: ['pending', 'due', '...cache'],
  args: {
    queue: 'string',
    registration: 'integer',
    maxBacklog: 'integer',
    /** The longest of all. */
    ttlMs: 'integer',
    hasGeneration: 'boolean',
    knownGeneration: 'bytes',
    freshGeneration: 'bytes',
    channel: 'string',
    message: 'string',
    /** For each write a header with its name, and its payload. */
    writes: 'bytesList',
  },
  reply: (raw): { readonly outcomes: readonly number[]; readonly backlog: number } => {
    const [backlog, ...outcomes] = (raw as string[]).map(Number);
    return { outcomes, backlog: backlog ?? 0 };
  },
  lua: `
${serverMicros}
local openField = ' open:' .. queue
local open = tonumber(redis.call('HGET', pending, openField) or '0')
if open <= 0 then
  if registration <= -open then return { '${CLOSED}' } end
  redis.call('HSET', pending, openField, whole(registration))
  redis.call('PERSIST', pending)
end
local generation = { hasGeneration and cache[#cache] or nil }
${currentGeneration}
local nowMs = math.floor(nowUs / 1000)
local version = tonumber(redis.call('HGET', pending, ' version') or '0')
local backlog = redis.call('ZCARD', due)
local dueAt = whole(nowUs)
local enqueuedAt = struct.pack('>d', nowMs)
local outcomes = {}
for i = 1, #writes, 2 do
  local ttlMs, freshMs, flags, kind, metaLength = struct.unpack('>ddBBH', writes[i])
  local name = string.sub(writes[i], 21 + metaLength)
  -- What waits already keeps its turn.
  local outcome = redis.call('ZADD', due, 'NX', dueAt, name)
  if outcome == 1 then
    if redis.call('HEXISTS', pending, name) == 1 then
      outcome = ${OTHER_QUEUE}
    elseif backlog >= maxBacklog then
      outcome = ${FULL}
    else
      backlog = backlog + 1
    end
  end
  if outcome < 0 then
    redis.call('ZREM', due, name)
  else
    version = math.max(version + 1, nowUs)
    outcome = version
    local record = struct.pack('>d', version) .. enqueuedAt .. struct.pack('>BBB', kind, flags, #queue)
    redis.call('HSET', pending, name, record .. queue .. writes[i + 1])
    if #cache > 0 then
      if kind == 0 then
        ${headerAtNow}
        local header = headerOf(flags, string.sub(writes[i], 21, 20 + metaLength))
        redis.call('SET', cache[i], header .. writes[i + 1], 'PX', whole(ttlMs))
      else
        redis.call('UNLINK', cache[i])
      end
      redis.call('DEL', cache[i + 1])
    end
  end
  outcomes[#outcomes + 1] = whole(outcome)
end
redis.call('HSET', pending, ' version', whole(version))
if #cache > 0 then redis.call('PUBLISH', channel, message) end
return { whole(backlog), unpack(outcomes) }
`,
});
