import { defineScript } from '@tierkit/redis';
import { KEEP_MS, LOCK_LUA } from './lock-lua.ts';

export interface Release {
  readonly held: boolean;
  /** Somebody was told that their turn has come. */
  readonly granted: boolean;
}

export function readRelease(raw: unknown): Release {
  return { held: Number(raw) % 2 === 1, granted: Number(raw) >= 2 };
}

/** Ends a hold; with `g` as the token, one that was not confirmed. */
export const releaseScript = defineScript({
  name: 'release-lock',
  keys: ['state', 'holders', 'queue'],
  args: { me: 'string', shape: 'string', token: 'string' },
  reply: readRelease,
  lua: `
if shape == 'x' then
  local value = redis.call('GET', state) or ''
  local mine = token .. ' ' .. me .. ' '
  if string.sub(value, 1, #mine) == mine then
    local ending = string.byte(value, -1)
    if ending >= 48 and ending <= 57 then
      redis.call('PSETEX', state, '${KEEP_MS}', token)
      return 1
    end
  else
    local owner, marks = string.match(value, '^%d+ (%S+) %d+ %d+ (%a*)$')
    if token ~= 'g' or owner ~= me or not string.find(marks, 'g', 1, true) then return 0 end
  end
end
${LOCK_LUA}
if load() then return 0 end
if shape == 'x' then
  holder, granted = nil, false
elseif redis.call('ZREM', holders, me .. ' ' .. token) == 0 then
  return 0
end
expire()
serve('', 0)
save()
return 1 + 2 * grants
`,
});
