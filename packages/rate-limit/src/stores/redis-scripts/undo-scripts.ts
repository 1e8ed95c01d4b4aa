import { defineScript } from '@tierkit/redis';
import type { Algorithm } from '../../algorithms/algorithm.ts';
import { each, numberArguments, readState, resets, rewriteState, type ScriptArguments } from './composed.ts';

/** Takes a cost back and tells who has kept a denial in mind. */
// eslint-disable-next-line typescript/explicit-function-return-type -- a script's type is inferred from its definition
export function refundScript(algorithms: readonly Algorithm[]) {
  const args: ScriptArguments = {
    channel: 'string',
    message: 'string',
    cost: 'number',
    ...numberArguments(algorithms),
  };
  return defineScript({
    name: 'limit-refund',
    keys: ['state', '...note'],
    args,
    reply: (raw) => raw === 1,
    lua: `
local taken = 0
if note[1] then
  local noted = redis.call('GET', note[1])
  if not noted then return 0 end
  redis.call('DEL', note[1])
  local at, units = string.match(noted, '^(%d+) (%d+)$')
  if not at then return 0 end
  taken, cost = tonumber(at), tonumber(units)
end
${readState(algorithms)}
if not packed then return 0 end
local changed = false
${each(
  algorithms,
  ({ lua }) => `
local before$ = used$
${lua.giveBack}
if used$ < before$ then changed = true end`,
)}
if not changed then return 0 end
${resets(algorithms)}
${rewriteState(algorithms)}
redis.call('PUBLISH', channel, message)
return 1
`,
  });
}

/** Sets a block and tells who has kept a denial in mind. */
// eslint-disable-next-line typescript/explicit-function-return-type -- as above
export function blockScript(algorithms: readonly Algorithm[]) {
  const args: ScriptArguments = {
    channel: 'string',
    message: 'string',
    forMs: 'number',
    ...numberArguments(algorithms),
  };
  return defineScript({
    name: 'limit-block',
    keys: ['state'],
    args,
    reply: (): void => undefined,
    lua: `
${readState(algorithms)}
blocked = now + forMs * 1000
${resets(algorithms)}
${rewriteState(algorithms)}
redis.call('PUBLISH', channel, message)
return 1
`,
  });
}

/** Removes a state and tells who has kept a denial in mind. */
export const resetScript = defineScript({
  name: 'limit-reset',
  keys: ['state'],
  args: { channel: 'string', message: 'string' },
  reply: (): void => undefined,
  lua: `
if redis.call('DEL', state) == 1 then redis.call('PUBLISH', channel, message) end
return 1
`,
});
