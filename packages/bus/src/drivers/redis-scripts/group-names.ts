import { defineScript } from '@tierkit/redis';

/** The groups that were made on a stream; none where there is no stream. */
export const groupNames = defineScript({
  name: 'bus-group-names',
  keys: ['stream'],
  args: {},
  reply: (raw) => raw as string[],
  lua: `
    if redis.call('EXISTS', stream) == 0 then return {} end
    local names = {}
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      for i = 1, #info, 2 do
        if info[i] == 'name' then names[#names + 1] = info[i + 1] end
      end
    end
    return names
  `,
});
