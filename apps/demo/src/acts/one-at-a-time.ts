import { setTimeout as sleep } from 'node:timers/promises';
import type { LockView } from '../instance/project-reports.ts';
import { duration, latencies } from '../stage/latencies.ts';
import type { Stage } from '../stage/stage.ts';

const CALLERS = 3;
const FILES = 60;
const project = 'whole';

/** One analysis of the whole project at a time, by all instances, and a database that knows who was overtaken. */
export async function oneAtATimeAct({ a, b, instances, paths, printer, verdicts }: Stage): Promise<void> {
  printer.title('One at a time: both instances want to analyse the whole project, three times each');
  const work = Promise.all(
    instances.map((instance) =>
      instance.call('makeReports', { project, paths: paths.slice(0, FILES), callers: CALLERS }),
    ),
  );
  const state = { done: false };
  const finished = work.finally(() => (state.done = true));
  let view: LockView = { holders: [], waiters: [] };
  // The fullest moment is shown.
  while (!state.done) {
    const now = await a.call('lookAtLock', { project });
    if (now.holders.length > 0 && now.waiters.length >= view.waiters.length) view = now;
    await Promise.race([finished, sleep(5)]);
  }
  const turns = (await finished).flat().sort((one, other) => one.fromMs - other.fromMs);
  const overlaps = turns.filter(({ fromMs }, i) => fromMs < (turns[i - 1]?.untilMs ?? 0)).length;
  const ordered = turns.every(({ token }, i) => token > (turns[i - 1]?.token ?? 0n));
  const pauses = turns.slice(1).map(({ fromMs }, i) => fromMs - (turns[i]?.untilMs ?? fromMs));
  printer.line(`The lock, at one moment: held by ${list(view.holders)}; in line: ${list(view.waiters)}.`);
  printer.line(
    `${turns.length} analyses, one after the other; the next began ${duration(latencies(pauses).p50)} after the one before had ended.`,
  );
  verdicts.expect('one analysis of a project at a time', `${turns.length}, ${overlaps} at once`, overlaps === 0);

  const other = b ?? a;
  await a.call('beginReport', { project });
  await other.call('takeLockAway', { project });
  await other.call('makeReports', { project, paths: paths.slice(0, 1), callers: 1 });
  const overtaken = !(await a.call('finishReport', { project }));
  printer.line(
    `An operator takes the lock from A, ${other.name} analyses and saves; what A saves then is ${overtaken ? 'refused' : 'TAKEN'}: its token is older.`,
  );
  const saved = turns.every((turn) => turn.saved);
  verdicts.expect(
    'results are saved in the order of their tokens, one that was overtaken is refused',
    overtaken ? 'refused' : 'not refused',
    overtaken && ordered && saved,
  );
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'nobody' : names.join(', '));
