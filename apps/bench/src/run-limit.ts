import type { LimitSubject, OpenLimitSubject } from './limit-subject.ts';
import type { MeasureOptions } from './measure.ts';
import type { Goals } from './goals.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { createRunner } from './runner.ts';
import { commandsPer, sideBySide, type BenchServer } from './side-by-side.ts';

/** A decision about one of many keys. */
export interface LimitScenario {
  readonly name: string;
  /** How many decisions are under way at a time. */
  readonly concurrency: number;
  /** Whether what is measured are denials. */
  readonly denied: boolean;
  readonly goal: number | undefined;
  readonly goals?: Goals;
  readonly subjects: readonly LimitSubject[];
}

const KEYS = 500;
const NEVER_REACHED = 100_000_000;

/** Proves that each subject admits its limit and no more, then measures them side by side. */
export async function runLimit(
  scenario: LimitScenario,
  server: BenchServer,
  options: MeasureOptions,
): Promise<ScenarioResult> {
  const { denied, concurrency } = scenario;
  return sideBySide(scenario, options, async (subject, index, use) => {
    const small = await subject.open({ port: server.port, limit: 5 });
    if ('absent' in small) return small;
    try {
      await expectLimit(subject, small, `s${index}:proof:${scenario.name}`, 5);
    } finally {
      await small.close();
    }
    const opened = await subject.open({ port: server.port, limit: denied ? 1 : NEVER_REACHED });
    if ('absent' in opened) throw new Error(`${subject.name} takes part or not by its limit`);
    use(opened);
    const keys = Array.from({ length: KEYS }, (_, i) => `s${index}:${scenario.name}:${i}`);
    const consumeAll = async (): Promise<void> => {
      for (const key of keys) await opened.consume(key);
    };
    // The first is allowed, and whoever remembers denials has one of each key to remember.
    for (let round = 0; round < (denied ? 3 : 1); round++) await consumeAll();
    const commandsPerOperation = await commandsPer(KEYS, server.commands, consumeAll);
    // What is not decided as it should be counts as a read that found nothing, which fails the run.
    const read = (key: string): Promise<unknown> =>
      opened.consume(key).then((allowed) => (allowed === denied ? undefined : true));
    const asSubject = { read, write: read, close: opened.close };
    return { runner: createRunner(subject.name, asSubject, { keys, concurrency }), commandsPerOperation };
  });
}

async function expectLimit(
  { name, role }: LimitSubject,
  open: OpenLimitSubject,
  key: string,
  limit: number,
): Promise<void> {
  if (role === 'limit') return;
  const allowed: boolean[] = [];
  for (let i = 0; i < limit + 2; i++) allowed.push(await open.consume(key));
  const expected = allowed.map((_, i) => i < limit);
  if (allowed.join() !== expected.join()) throw new Error(`${name} decides ${allowed.join()}, not ${expected.join()}`);
}
