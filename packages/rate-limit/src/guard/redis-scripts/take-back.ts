import { defineScript } from '@tierkit/redis';
import { foundCount } from './found-count.ts';

/** Takes one failure back, or all of them; a block that was made ahead is none of the blocks then. See `count-failure.ts`. */
export const takeBack = defineScript({
  name: 'guard-take-back',
  keys: ['count', 'blocks'],
  args: { failures: 'integer', within: 'integer', forget: 'integer', longest: 'integer', all: 'integer' },
  reply: (): void => undefined,
  lua: `${foundCount}
local counted, left = found(count, longest)
local remains = counted
if counted == failures + 2 then
  local made, kept = found(blocks, forget)
  if made > 1 then
    redis.call('SET', blocks, made - 1, 'PX', string.format('%.0f', kept))
  else
    redis.call('DEL', blocks)
  end
  remains, left = failures - 1, within * 1000
elseif counted < failures then
  remains = counted - 1
end
if all == 1 or remains <= 0 then
  redis.call('DEL', count)
elseif remains ~= counted then
  redis.call('SET', count, remains, 'PX', string.format('%.0f', left))
end
return 1
`,
});
