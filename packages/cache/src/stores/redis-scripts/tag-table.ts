/**
 * Lua: sets the local `id` to the identity of the table of tags, making one if there is none, and makes it outlive
 * `ttlMs`.
 *
 * A table is a sorted set. Tags have the count of their last invalidation as score. Three members that no tag is encoded
 * to come with them: ' epoch', the identity, below 0; ' floor', the highest count that a forgotten tag can have; ' at',
 * the count. So ' epoch' and ' floor' are first by rank, and the tag that was invalidated longest ago is third. All is
 * lost together, if it is lost.
 */
export const tagTable = `
local id = tonumber(redis.call('ZSCORE', tags, ' epoch') or 0)
if id >= 0 or not redis.call('ZSCORE', tags, ' at') then
  id = freshTable
  redis.call('DEL', tags)
  redis.call('ZADD', tags, id, ' epoch', 0, ' floor', 0, ' at')
end
if redis.call('PTTL', tags) < ttlMs then redis.call('PEXPIRE', tags, ttlMs * 2) end
`;
