import { defineScript } from '@tierkit/redis';
import { LONGEST_US, TOLERANCE, type Algorithm } from '../../algorithms/algorithm.ts';
import type { Decision, Parameters, Reading } from '../limit-store.ts';
import {
  decide,
  each,
  lastsMs,
  NOT_BLOCKED,
  numberArguments,
  numberNames,
  readState,
  replyDecision,
  resets,
  writeState,
} from './composed.ts';

/** Lua: what was allowed under an id that is noted is allowed again. */
const repeated = (algorithms: readonly Algorithm[]): string => `
allowed = true
${each(algorithms, () => 'retry$ = 0')}`;

function consumption(algorithms: readonly Algorithm[], lasts: string): string {
  return `
${readState(algorithms)}
${decide(algorithms)}
if note[1] and redis.call('EXISTS', note[1]) == 1 then
  ${repeated(algorithms)}
elseif allowed then
  ${each(algorithms, ({ lua }) => lua.add)}
  ${writeState(algorithms, NOT_BLOCKED, lasts)}
  if note[1] then redis.call('SET', note[1], string.format('%.0f %.0f', now, cost), 'PX', noteMs) end
end
${resets(algorithms)}
${replyDecision(algorithms)}
`;
}

/**
 * Consumes one unit by the limits of the policies themselves, as most calls do. All its numbers stand in the source: Redis would
 * spend a fifth of its time for the call on reading them.
 */
// eslint-disable-next-line typescript/explicit-function-return-type -- a script's type is inferred from its definition
export function consumeOneScript(algorithms: readonly Algorithm[], stated: Parameters, noteMs: number) {
  const numbers = stated.flat();
  const locals = numberNames(algorithms).map((name, i) => `local ${name} = ${numbers[i]}`);
  locals.push('local cost = 1', `local noteMs = '${noteMs}'`);
  return defineScript({
    name: 'limit-consume-one',
    /** The note of the id, where one is given. */
    keys: ['state', '...note'],
    args: {},
    replyAs: 'buffer',
    reply: decisionOf,
    lua: `${locals.join('\n')}\n${consumption(algorithms, `'${lastsMs(algorithms, stated)}'`)}`,
  });
}

/** Consumes by any limits. */
// eslint-disable-next-line typescript/explicit-function-return-type -- as above
export function consumeScript(algorithms: readonly Algorithm[]) {
  const args: Record<string, 'number'> = { cost: 'number', noteMs: 'number', lasts: 'number' };
  return defineScript({
    name: 'limit-consume',
    keys: ['state', '...note'],
    args: { ...args, ...numberArguments(algorithms) },
    replyAs: 'buffer',
    reply: decisionOf,
    lua: consumption(algorithms, 'lasts'),
  });
}

// eslint-disable-next-line typescript/explicit-function-return-type -- as above
export function peekScript(algorithms: readonly Algorithm[]) {
  const args: Record<string, 'number'> = { cost: 'number' };
  return defineScript({
    name: 'limit-peek',
    keys: ['state', '...note'],
    args: { ...args, ...numberArguments(algorithms) },
    replyAs: 'buffer',
    reply: decisionOf,
    lua: `
${readState(algorithms)}
${decide(algorithms)}
if note[1] and redis.call('EXISTS', note[1]) == 1 then
  ${repeated(algorithms)}
end
${resets(algorithms)}
${replyDecision(algorithms)}
`,
  });
}

function decisionOf(raw: unknown): Decision {
  const reply = raw as Buffer;
  const readings: Reading[] = [];
  for (let at = 16; at < reply.length; at += 24) {
    readings.push({
      remaining: Math.max(0, Math.floor(reply.readDoubleBE(at) + TOLERANCE)),
      resetUs: Math.min(LONGEST_US, Math.ceil(reply.readDoubleBE(at + 8))),
      retryUs: reply.readDoubleBE(at + 16),
    });
  }
  return { allowed: reply[0] !== 0, blockedUs: reply.readDoubleBE(8), readings };
}
