import { defineScript } from '@tierkit/redis';
import { currentGeneration, headerAtNow } from '../../stores/redis-scripts/generation.ts';
import type { EnqueueOutcome } from '../pending-store.ts';
import { serverMicros } from './server-micros.ts';

const CLOSED = -1;
const FULL = -2;
const OTHER_QUEUE = -3;

/**
 * Keeps writes of one scope and changes its cached entries, all in one step; a write that is refused changes nothing.
 *
 * The queue is in use in the scope while its field ` open:` holds the number of its registration. A worker that takes the
 * scope off the list turns that number below zero, and then only a later registration opens it: so no write is ever kept
 * in a scope that is not on the list.
 *
 * A write of a name that waits already takes the place of the older one and keeps its turn. Each command takes all writes
 * at once where it can, since calls are what a script spends its time on.
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
    /** Of each write. */
    nameList: 'bytes',
    /** For each write its time to live and how long it is fresh, flags, kind, and metadata. */
    headers: 'bytes',
    payloads: 'bytesList',
  },
  /** The version of the first write that was kept, those of the others follow; then the place and fault of each refused. */
  reply: (raw): { readonly firstVersion: number; readonly refused: ReadonlyMap<number, EnqueueOutcome> } | 'closed' => {
    const [firstVersion, ...faults] = raw as [string, ...number[]];
    if (Number(firstVersion) === CLOSED) return 'closed';
    const refused = new Map<number, EnqueueOutcome>();
    for (let at = 0; at < faults.length; at += 2)
      refused.set(faults[at] ?? 0, faults[at + 1] === FULL ? 'full' : 'other-queue');
    return { firstVersion: Number(firstVersion), refused };
  },
  lua: `
${serverMicros}
local openField = ' open:' .. queue
local counters = redis.call('HMGET', pending, openField, ' version')
local open = tonumber(counters[1] or '0')
local nowMs = math.floor(nowUs / 1000)
if open <= 0 then
  if registration <= -open then return { '${CLOSED}' } end
  redis.call('HSET', pending, openField, whole(registration))
  redis.call('PERSIST', pending)
end
local names = {}
local at = 1
for i = 1, #payloads do
  names[i], at = struct.unpack('>Hc0', nameList, at)
end
local turns = redis.call('ZMSCORE', due, unpack(names))
local generation = { hasGeneration and cache[#cache] or nil }
${currentGeneration}
${headerAtNow}
local version = math.max(tonumber(counters[2] or '0') + 1, nowUs)
local reply = { whole(version) }
local newTurns, records, leases, backlog = {}, {}, {}, nil
at = 1
for i, name in ipairs(names) do
  local entryTtlMs, freshMs, flags, kind, meta
  entryTtlMs, freshMs, flags, kind, meta, at = struct.unpack('>ddBBHc0', headers, at)
  local fault = nil
  if not turns[i] and not newTurns[name] then
    backlog = backlog or redis.call('ZCARD', due)
    if redis.call('HEXISTS', pending, name) == 1 then
      fault = ${OTHER_QUEUE}
    elseif backlog >= maxBacklog then
      fault = ${FULL}
    else
      backlog = backlog + 1
      newTurns[name] = true
      newTurns[#newTurns + 1] = whole(nowUs)
      newTurns[#newTurns + 1] = name
    end
  end
  if fault then
    reply[#reply + 1] = i - 1
    reply[#reply + 1] = fault
  else
    records[#records + 1] = name
    records[#records + 1] = struct.pack('>ddBBB', version, nowMs, kind, flags, #queue) .. queue .. payloads[i]
    version = version + 1
    if #cache > 0 then
      leases[#leases + 1] = cache[2 * i]
      if kind == 0 then
        local entry = headerOf(entryTtlMs, freshMs, flags, meta) .. payloads[i]
        redis.call('SET', cache[2 * i - 1], entry, 'PX', whole(entryTtlMs))
      else
        redis.call('UNLINK', cache[2 * i - 1])
      end
    end
  end
end
if #records == 0 then return reply end
if #newTurns > 0 then redis.call('ZADD', due, unpack(newTurns)) end
redis.call('HSET', pending, ' version', whole(version - 1), unpack(records))
if #cache > 0 then
  redis.call('DEL', unpack(leases))
  redis.call('PUBLISH', channel, message)
end
return reply
`,
});
