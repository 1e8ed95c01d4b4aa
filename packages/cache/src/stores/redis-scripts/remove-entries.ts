import { defineScript } from '@tierkit/redis';

/** Removes entries together with the leases of their keys and announces it, all in one step. */
export const removeEntries = defineScript({
  name: 'cache-remove-entries',
  keys: ['...entriesAndLeases'],
  args: { channel: 'string', message: 'string' },
  reply: (): void => undefined,
  lua: `
for _, key in ipairs(entriesAndLeases) do redis.call('UNLINK', key) end
redis.call('PUBLISH', channel, message)
return 1
`,
});
