import { defineScript } from '@tierkit/redis';
import type { Algorithm } from '../../algorithms/algorithm.ts';
import type { Decision, Reading } from '../limit-store.ts';
import { decide, each, numbersOf, readState, replyDecision, resets, writeState } from './composed.ts';

// eslint-disable-next-line typescript/explicit-function-return-type -- a script's type is inferred from its definition
export function consumeScript(algorithms: readonly Algorithm[]) {
  return defineScript({
    name: 'limit-consume',
    /** The note of the id, where one is given. */
    keys: ['state', '...note'],
    args: { cost: 'number', noteMs: 'number', ...numbersOf(algorithms) },
    reply: decisionOf,
    lua: `
${readState(algorithms)}
${decide(algorithms)}
if note[1] and redis.call('EXISTS', note[1]) == 1 then
  allowed = true
  ${each(algorithms, () => 'retry$ = 0')}
  ${resets(algorithms)}
  ${replyDecision(algorithms)}
end
if allowed then
${each(algorithms, ({ lua }) => lua.add)}
end
${resets(algorithms)}
if allowed then
${writeState(algorithms)}
  if note[1] then redis.call('SET', note[1], string.format('%.0f %.0f', now, cost), 'PX', noteMs) end
end
${replyDecision(algorithms)}
`,
  });
}

// eslint-disable-next-line typescript/explicit-function-return-type -- as above
export function peekScript(algorithms: readonly Algorithm[]) {
  return defineScript({
    name: 'limit-peek',
    keys: ['state', '...note'],
    args: { cost: 'number', noteMs: 'number', ...numbersOf(algorithms) },
    reply: decisionOf,
    lua: `
${readState(algorithms)}
${decide(algorithms)}
if note[1] and redis.call('EXISTS', note[1]) == 1 then
  allowed = true
  ${each(algorithms, () => 'retry$ = 0')}
end
${resets(algorithms)}
${replyDecision(algorithms)}
`,
  });
}

function decisionOf(raw: unknown): Decision {
  const reply = raw as readonly number[];
  const readings: Reading[] = [];
  for (let i = 2; i < reply.length; i += 3) {
    readings.push({ remaining: reply[i] ?? 0, resetUs: reply[i + 1] ?? 0, retryUs: reply[i + 2] ?? 0 });
  }
  return { allowed: reply[0] === 1, blockedUs: reply[1] ?? 0, readings };
}
