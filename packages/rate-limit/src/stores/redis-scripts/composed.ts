import { createHash } from 'node:crypto';
import { LONGEST_US, TOLERANCE, type Algorithm } from '../../algorithms/algorithm.ts';

/** What scripts take beside keys: the names depend on the policies. */
export type ScriptArguments = Record<string, 'number' | 'string'>;

/** The names of the numbers that a script is passed for its policies, `limit1`, `per1`, `limit2` and so on, with a value. */
export function numbersOf(algorithms: readonly Algorithm[]): Record<string, 'number'> {
  const names = algorithms.flatMap(({ parameters }, i) => parameters.map((name) => `${name}${i + 1}`));
  return Object.fromEntries(names.map((name) => [name, 'number' as const]));
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

/** Lua, after {@link resets}: stores the state for as long as it says anything. */
export function writeState(algorithms: readonly Algorithm[]): string {
  const ends = each(algorithms, () => 'reset$', ', ');
  const states = each(algorithms, ({ lua }) => lua.pack, ' .. ');
  return `
local keepMs = math.ceil(math.max(${ends}, blocked - now) / 1000)
if keepMs > 0 then
  redis.call('SET', state, '\\${VERSION}' .. struct.pack('>d', blocked) .. ${states}, 'PX', keepMs)
else
  redis.call('DEL', state)
end
`;
}

/** Lua, after {@link decide} and {@link resets}: the reply that {@link decisionOf} reads. */
export function replyDecision(algorithms: readonly Algorithm[]): string {
  const left = `math.max(0, math.floor(limit$ - used$ + ${TOLERANCE}))`;
  const readings = each(algorithms, () => `${left}, reset$, retry$`, ', ');
  return `return { allowed and 1 or 0, math.max(0, blocked - now), ${readings} }`;
}
