import { defineScript } from '@tierkit/redis';

/** Takes the crossings out of what is remembered for an id: they were told. */
export const confirmTold = defineScript({
  name: 'quota-confirm-told',
  keys: ['marker'],
  args: {},
  reply: (): void => undefined,
  lua: `
local kept = string.match(redis.call('GET', marker) or '', '^(%a\\n[^\\n]*\\n[^\\n]*\\n)')
if kept then redis.call('SET', marker, kept, 'KEEPTTL') end
return 1
`,
});
