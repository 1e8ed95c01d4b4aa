import { defineScript } from '@tierkit/redis';
import { foundCount } from './found-count.ts';
import { standingOf } from './standing.ts';

/**
 * Counts a failure, or an attempt `ahead` of knowing that it fails, unless the subject is blocked.
 *
 * `count` holds failures in a row; beyond the last one, 1 more for a block and 2 for one that was made ahead. `blocks` is how many
 * there were, and `durations` how long each lasts.
 */
export const countFailure = defineScript({
  name: 'guard-count-failure',
  keys: ['count', 'blocks'],
  args: {
    failures: 'integer',
    within: 'integer',
    forget: 'integer',
    longest: 'integer',
    ahead: 'integer',
    durations: 'strings',
  },
  reply: standingOf,
  lua: `${foundCount}
local counted, left = found(count, longest)
if counted >= failures then return { left, 0 } end
counted = counted + 1
if counted < failures then
  if left == 0 then left = within * 1000 end
  redis.call('SET', count, counted, 'PX', string.format('%.0f', left))
  return { 0, failures - counted }
end
local made, kept = found(blocks, forget)
made = made + 1
if kept == 0 then kept = forget * 1000 end
redis.call('SET', blocks, made, 'PX', string.format('%.0f', kept))
local seconds = tonumber(durations[math.min(made, #durations)])
redis.call('SET', count, failures + 1 + ahead, 'EX', seconds)
return { ahead == 1 and 0 or seconds * 1000, 0 }
`,
});
