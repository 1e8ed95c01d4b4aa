import { defineScript } from '@tierkit/redis';
import { modeOf, type HolderState, type LockState } from '../stores/lock-store.ts';

type Raw = [nowMs: string, state: string | null, holders: string[], waiters: string[], waiting: number];

/** Changes nothing, so it may be asked as often as one likes. */
export const inspectScript = defineScript({
  name: 'inspect-lock',
  keys: ['state', 'holders', 'queue'],
  args: {},
  reply: (raw): LockState => readState(raw as Raw),
  lua: `
local time = redis.call('TIME')
local now = string.format('%.0f', math.floor((tonumber(time[1]) * 1000000 + tonumber(time[2])) / 1000))
return {
  now,
  redis.call('GET', state),
  redis.call('ZRANGEBYSCORE', holders, '(' .. now, '+inf', 'WITHSCORES'),
  redis.call('ZRANGE', queue, 0, 99),
  redis.call('ZCARD', queue),
}
`,
});

function readState([nowMs, state, sharing, waiters, waiting]: Raw): LockState {
  const now = Number(nowMs);
  const [last = '0', owner = '-', since, ms, marks = ''] = (state ?? '0').split(' ');
  const left = Math.floor(Number(since) / 1_000) + Number(ms) - now;
  const holders: HolderState[] = [];
  if (owner !== '-' && left > 0) {
    const token = marks.includes('g') ? undefined : tokenOf(last);
    holders.push({ owner, mode: 'exclusive', token, ttlMs: left });
  }
  for (let i = 0; i < sharing.length; i += 2) {
    const [sharer = '', token = 'g'] = (sharing[i] ?? '').split(' ');
    const ttlMs = Number(sharing[i + 1]) - now;
    holders.push({ owner: sharer, mode: 'shared', token: tokenOf(token), ttlMs });
  }
  return {
    holders,
    waiters: waiters.map((waiter) => {
      const [who = '', shape = 'x'] = waiter.split(' ');
      return { owner: who, mode: modeOf(shape) };
    }),
    waiting,
    lastToken: tokenOf(last) ?? 0n,
  };
}

/** `undefined` for what is no token: the mark of a turn that was not confirmed, or bytes of somebody else's. */
function tokenOf(text: string): bigint | undefined {
  return /^\d+$/.test(text) ? BigInt(text) : undefined;
}
