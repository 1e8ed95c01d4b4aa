import { defineScript } from '@tierkit/redis';

/** Gives one caller in the interval the turn to look at all scopes, and tells the backlog as it was last noted. */
export const takeTurn = defineScript({
  name: 'cache-take-turn',
  keys: ['turn', 'noted'],
  args: { everyMs: 'integer' },
  reply: (raw): { readonly mine: boolean; readonly backlog: number } => {
    const [mine, backlog] = raw as [number, string];
    return { mine: mine === 1, backlog: Number(backlog) };
  },
  lua: `
local mine = redis.call('SET', turn, '1', 'NX', 'PX', everyMs)
-- What never ends is nobody's turn.
if not mine and redis.call('PTTL', turn) < 0 then mine = redis.call('SET', turn, '1', 'PX', everyMs) end
return { mine and 1 or 0, redis.call('GET', noted) or '0' }
`,
});
