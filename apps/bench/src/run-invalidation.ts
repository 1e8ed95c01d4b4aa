import { Redis } from 'ioredis';
import type { CommandCounter } from './redis-commands.ts';
import type { ScenarioResult } from './run-scenario.ts';
import type { BenchServer } from './side-by-side.ts';
import type { OpenTagSubject, TagSubject } from './tag-subject.ts';

/** One call that invalidates a tag which all entries have, or clears the scope that they lie in. */
export interface InvalidationScenario {
  readonly name: string;
  readonly entries: number;
  readonly rounds: number;
  readonly quickRounds: number;
  readonly goal: undefined;
  readonly subjects: readonly TagSubject[];
}

const SEED = 'entry-seed';
// Nothing may keep Redis for longer than the deadlines of the clients, or what a client does in the background fails.
const CLONED_AT_ONCE = 2_000;
const SCANNED_AT_ONCE = 5_000;
const WRITTEN_AT_ONCE = 500;

/** Fills each subject anew for every round, and times the call that invalidates all of it. */
export async function runInvalidation(
  scenario: InvalidationScenario,
  server: BenchServer,
  rounds: number,
): Promise<ScenarioResult> {
  const raw = new Redis(server.port);
  const timings: { name: string; nsPerOperation: number[] }[] = [];
  const absent: { name: string; reason: string }[] = [];
  const commandsPerRead = new Map<string, number>();
  const subjects: TagSubject[] = [];
  try {
    for (const subject of scenario.subjects) {
      const { most = Infinity } = subject;
      const open =
        scenario.entries > most
          ? { absent: `it takes too long; its cost grows with the entries, as it does up to ${most}` }
          : await subject.open(server.port);
      if ('absent' in open) {
        absent.push({ name: subject.name, reason: open.absent });
        continue;
      }
      subjects.push(subject);
      const nsPerOperation: number[] = [];
      timings.push({ name: subject.name, nsPerOperation });
      try {
        for (let round = 0; round < rounds; round++) {
          const { ns, commands } = await invalidateOnce(subject, open, scenario.entries, round, raw, server.commands);
          nsPerOperation.push(ns);
          commandsPerRead.set(subject.name, commands);
        }
      } finally {
        await open.close();
        await raw.flushall();
      }
    }
    return { scenario, subjects, timings, commandsPerRead, absent };
  } finally {
    raw.disconnect();
  }
}

async function invalidateOnce(
  subject: TagSubject,
  open: OpenTagSubject,
  entries: number,
  round: number,
  raw: Redis,
  counter: CommandCounter,
): Promise<{ ns: number; commands: number }> {
  const tag = `tag-${round}`;
  const names = Array.from({ length: subject.written === undefined ? 1 : entries }, (_, i) => `entry-${i}`);
  // Everything that a first call sets up is there.
  await open.invalidate('tag-other');
  for (let from = 0; from < names.length; from += WRITTEN_AT_ONCE) {
    const batch = names.slice(from, from + WRITTEN_AT_ONCE);
    await Promise.all(batch.map((name) => open.write(name, { round }, tag)));
  }
  if (subject.written === undefined) {
    await open.write(SEED, { round }, tag);
    await clone(raw, entries);
  }
  const [first, last] = ['entry-0', `entry-${entries - 1}`];
  await expectRound(subject, open, [first, last], round);
  const before = await counter.total();
  const startNs = process.hrtime.bigint();
  await open.invalidate(tag);
  const ns = Number(process.hrtime.bigint() - startNs);
  const commands = (await counter.total()) - before;
  await expectRound(subject, open, [first, last], undefined);
  return { ns, commands };
}

async function expectRound(
  { name }: TagSubject,
  open: OpenTagSubject,
  keys: readonly string[],
  round: number | undefined,
): Promise<void> {
  for (const key of keys) {
    const value = (await open.read(key)) as { readonly round: number } | null | undefined;
    if (value?.round !== round) throw new Error(`${name} has ${JSON.stringify(value)} for ${key}, not round ${round}`);
  }
}

/** Copies all keys that were written for the seed, values and times to live, to the names of the entries. */
async function clone(raw: Redis, entries: number): Promise<void> {
  const keys: string[] = [];
  const scan = raw.scanStream({ match: `*${SEED}*`, count: SCANNED_AT_ONCE });
  for await (const found of scan) keys.push(...(found as string[]));
  if (keys.length === 0) throw new Error('nothing was written');
  for (const key of keys) {
    for (let from = 0; from < entries; from += CLONED_AT_ONCE) {
      await raw.eval(CLONE, 1, key, SEED, from, Math.min(entries, from + CLONED_AT_ONCE) - 1);
    }
  }
  await raw.unlink(keys);
}

const CLONE = `
local value, ttlMs = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
local from, to = string.find(KEYS[1], ARGV[1], 1, true)
local before, after = string.sub(KEYS[1], 1, from - 1) .. 'entry-', string.sub(KEYS[1], to + 1)
for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  if ttlMs > 0 then redis.call('SET', before .. i .. after, value, 'PX', ttlMs)
  else redis.call('SET', before .. i .. after, value) end
end
`;
