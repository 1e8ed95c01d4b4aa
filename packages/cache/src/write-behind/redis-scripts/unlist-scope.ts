import { defineScript } from '@tierkit/redis';

/** Takes a scope off the list while this is its last registration. */
export const unlistScope = defineScript({
  name: 'cache-unlist-scope',
  keys: ['registry'],
  args: { scope: 'string', registration: 'integer' },
  reply: (): void => undefined,
  lua: `
if tonumber(redis.call('ZSCORE', registry, scope) or '0') == registration then redis.call('ZREM', registry, scope) end
return 1
`,
});
