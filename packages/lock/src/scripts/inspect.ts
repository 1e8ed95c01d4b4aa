import { defineScript } from '@tierkit/redis';
import { MAX_TTL_MS } from '../options.ts';
import { modeOf, MOST_SHOWN, type HolderState, type LockState } from '../stores/lock-store.ts';
import { LOCK_LUA } from './lock-lua.ts';

type Raw = [
  nowMs: string,
  lastToken: string,
  holder: [owner: string, ttlMs: string, granted: number] | [],
  sharing: string[],
  waiters: string[],
  waiting: number,
];

/** Changes nothing, so it may be asked as often as one likes. */
export const inspectScript = defineScript({
  name: 'inspect-lock',
  keys: ['state', 'holders', 'queue'],
  args: {},
  reply: (raw): LockState => readState(raw as Raw),
  lua: `
${LOCK_LUA}
local foreign = load()
if foreign then return foreign end
return {
  text(now),
  text(last),
  holder and expires > now and { holder, text(expires - now), granted and 1 or 0 } or {},
  redis.call('ZRANGEBYSCORE', holders, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', 0, ${MOST_SHOWN}),
  redis.call('ZRANGE', queue, 0, ${MOST_SHOWN - 1}),
  redis.call('ZCARD', queue),
}
`,
});

function readState([nowMs, lastToken, [owner, left, granted], sharing, waiters, waiting]: Raw): LockState {
  const holders: HolderState[] = [];
  if (owner !== undefined) {
    const token = granted === 1 ? undefined : BigInt(lastToken);
    holders.push({ owner, mode: 'exclusive', token, ttlMs: Number(left) });
  }
  for (let i = 0; i < sharing.length; i += 2) {
    const [sharer = '', token = 'g'] = (sharing[i] ?? '').split(' ');
    // What holds for ever was not written by a lock.
    const ttlMs = Math.min(Number(sharing[i + 1]) - Number(nowMs) || MAX_TTL_MS, MAX_TTL_MS);
    holders.push({ owner: sharer, mode: 'shared', token: tokenOf(token), ttlMs });
  }
  return {
    holders,
    waiters: waiters.map((waiter) => {
      const [who = '', shape = 'x'] = waiter.split(' ');
      return { owner: who, mode: modeOf(shape) };
    }),
    waiting,
    lastToken: BigInt(lastToken),
  };
}

/** `undefined` for what is no token: the mark of a turn that was not confirmed, or bytes of somebody else's. */
function tokenOf(text: string): bigint | undefined {
  return /^\d{1,16}$/.test(text) ? BigInt(text) : undefined;
}
