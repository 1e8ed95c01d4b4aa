import { defineScript } from '@tierkit/redis';

/** Removes an entry only while it is still these bytes, so that a newer one is never lost. */
export const discardEntry = defineScript({
  name: 'cache-discard-entry',
  keys: ['entry'],
  args: { bytes: 'bytes' },
  reply: (): void => undefined,
  lua: `
if redis.call('GET', entry) == bytes then redis.call('UNLINK', entry) end
return 1
`,
});
