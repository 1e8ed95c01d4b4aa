import { createHash } from 'node:crypto';
import { LONGEST_US, TOLERANCE, type Algorithm } from '../../algorithms/algorithm.ts';
import type { Parameters } from '../limit-store.ts';

/** What scripts take beside keys: the names depend on the policies. */
export type ScriptArguments = Record<string, 'number' | 'string'>;

/** The names of the numbers of all policies, `limit1`, `per1`, `limit2` and so on. */
export function numberNames(algorithms: readonly Algorithm[]): string[] {
  return algorithms.flatMap(({ parameters }, i) => parameters.map((name) => `${name}${i + 1}`));
}

/** As arguments of a script, for any limits. */
export function numberArguments(algorithms: readonly Algorithm[]): Record<string, 'number'> {
  return Object.fromEntries(numberNames(algorithms).map((name) => [name, 'number' as const]));
}

/** Milliseconds after which nothing is counted any more of what fits the limits now. */
export function lastsMs(algorithms: readonly Algorithm[], parameters: Parameters): number {
  return Math.ceil(Math.max(...algorithms.map(({ lastsUs }, i) => lastsUs(parameters[i] ?? []))) / 1_000);
}

/** Tells apart the keys of states that consist of different numbers. */
export function layoutOf(algorithms: readonly Algorithm[]): string {
  const layouts = algorithms.map(({ layout, parameters }) => `${layout}(${parameters.join()})`);
  return createHash('sha256').update(layouts.join('+')).digest('hex').slice(0, 8);
}

const VERSION = 1;
const HEADER_BYTES = 9;

/** One piece of every policy, numbered, one after the other. */
export function each(
  algorithms: readonly Algorithm[],
  piece: (algorithm: Algorithm) => string,
  separator: string = '\n',
): string {
  return algorithms.map((algorithm, i) => piece(algorithm).replaceAll('$', String(i + 1))).join(separator);
}

/**
 * Lua: the locals `now`, `blocked` (until when, 0 for not) and those of every policy. One string holds the state of all
 * policies of a subject, so that reading and writing it is one command each; what is no such string counts as nothing.
 */
export function readState(algorithms: readonly Algorithm[]): string {
  const leastBytes = algorithms.reduce((sum, { lua }) => sum + lua.stateBytes, HEADER_BYTES);
  const varies = algorithms.some(({ lua }) => lua.varies);
  const fits = varies ? `#packed < ${leastBytes}` : `#packed ~= ${leastBytes}`;
  return `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local packed = redis.pcall('GET', state)
if type(packed) ~= 'string' or ${fits} or string.byte(packed) ~= ${VERSION} then packed = false end
local blocked, pos = 0, ${HEADER_BYTES + 1}
if packed then
  blocked = struct.unpack('>d', packed, 2)
  if not (blocked > now and blocked <= now + ${LONGEST_US}) then blocked = 0 end
end
${each(algorithms, ({ lua }) => (varies ? unlessTooShort(lua.stateBytes) : '') + lua.read)}
`;
}

// Behind a state of varying length.
const unlessTooShort = (bytes: number): string => `if packed and #packed < pos + ${bytes - 1} then packed = false end`;

/** Lua: the locals `allowed` and, for each policy, `retry`. */
export function decide(algorithms: readonly Algorithm[]): string {
  return `
local allowed = blocked == 0
${each(
  algorithms,
  ({ lua }) => `
local retry$ = 0
if used$ + cost > limit$ + ${TOLERANCE} then
  allowed = false
  if cost > limit$ then retry$ = -1 else
${lua.retry}
  end
end`,
)}
`;
}

/** Lua: the local `reset` of each policy. */
export function resets(algorithms: readonly Algorithm[]): string {
  return each(algorithms, ({ lua }) => `local reset$ = ${lua.reset}`);
}

/** Lua: stores the state for `ms`, an expression. */
export function writeState(algorithms: readonly Algorithm[], blocked: string, ms: string): string {
  const states = each(algorithms, ({ lua }) => lua.pack, ' .. ');
  return `redis.call('SET', state, ${blocked} .. ${states}, 'PX', ${ms})`;
}

/** Lua: the first bytes of a state that is not blocked, which costs less than to pack them. */
export const NOT_BLOCKED = `'\\${VERSION}${'\\0'.repeat(HEADER_BYTES - 1)}'`;

/** Lua, after {@link resets}: stores the state with its block for as long as it says anything. */
export function rewriteState(algorithms: readonly Algorithm[]): string {
  return `
local keepUs = math.max(${each(algorithms, () => 'reset$', ', ')}, blocked - now)
local keepMs = math.ceil(math.min(${LONGEST_US}, keepUs) / 1000)
if keepMs > 0 then
  ${writeState(algorithms, `'\\${VERSION}' .. struct.pack('>d', blocked)`, 'keepMs')}
else
  redis.call('DEL', state)
end
`;
}

/** Lua, after {@link decide} and {@link resets}: the reply that {@link decisionOf} reads, in the one form that needs no table. */
export function replyDecision(algorithms: readonly Algorithm[]): string {
  const numbers = each(algorithms, () => 'limit$ - used$, reset$, retry$', ', ');
  const format = `>${'d'.repeat(2 + 3 * algorithms.length)}`;
  return `return struct.pack('${format}', allowed and 1 or 0, blocked > 0 and blocked - now or 0, ${numbers})`;
}
