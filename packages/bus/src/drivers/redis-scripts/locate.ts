import { defineScript } from '@tierkit/redis';

/** The end of the stream, and how many entries it has taken. */
export const locateEnd = defineScript({
  name: 'bus-locate-end',
  keys: ['stream', 'counter'],
  args: {},
  reply: (raw) => {
    const [id, count] = raw as [string, string];
    return { id, count: Number(count) };
  },
  lua: `
    local count = redis.call('GET', counter) or '0'
    if redis.call('EXISTS', stream) == 0 then return {'0-0', count} end
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then return {info[i + 1], count} end
    end
    return {'0-0', count}
  `,
});
