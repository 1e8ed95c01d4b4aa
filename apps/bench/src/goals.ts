import type { Extras, ScenarioResult } from './run-scenario.ts';
import type { Summary } from './report.ts';
import { median } from './statistics.ts';

/** What tierkit has to reach besides the scenario's share of the limit. */
export interface Goals {
  /** The subject's throughput is so many times the rival's. */
  readonly beats?: readonly { readonly subject: string; readonly rival: string; readonly times: number }[];
  /** Of each subject of tierkit. */
  readonly atLeast?: Extras;
  readonly atMost?: Extras;
  readonly commandsAtMost?: number;
}

/** What was missed by more than the noise of the run, a line each. */
export function missedGoals(result: ScenarioResult, summaries: readonly Summary[]): string[] {
  const { name, goal, goals = {} } = result.scenario;
  const missed: string[] = [];
  const ours = new Set(result.subjects.filter(({ role }) => role === 'ours').map(({ name }) => name));
  const own = summaries.filter(({ subject }) => ours.has(subject));
  for (const { subject, interval, extras, commandsPerRead } of own) {
    if (goal !== undefined && interval.low > goal)
      missed.push(`${subject} takes ${interval.low.toFixed(2)} times the limit at the least, not ${goal}`);
    for (const [field, bound] of Object.entries(goals.atLeast ?? {}))
      if ((extras[field as keyof Extras] ?? 0) < bound) missed.push(`${subject}: ${field} is below ${bound}`);
    for (const [field, bound] of Object.entries(goals.atMost ?? {}))
      if ((extras[field as keyof Extras] ?? Infinity) > bound) missed.push(`${subject}: ${field} is above ${bound}`);
    if (goals.commandsAtMost !== undefined && commandsPerRead > goals.commandsAtMost)
      missed.push(`${subject}: more than ${goals.commandsAtMost} commands`);
  }
  const roundsOf = (subject: string): readonly number[] =>
    result.timings.find((timing) => timing.name === subject)?.nsPerOperation ?? [];
  for (const { subject, rival, times } of goals.beats ?? []) {
    const [rounds, rivals] = [roundsOf(subject), roundsOf(rival)];
    if (rounds.length === 0 || rivals.length === 0) missed.push(`${subject} or ${rival} did not take part`);
    else if (median(rivals.map((ns, round) => ns / (rounds[round] ?? Number.NaN))).high < times)
      missed.push(`${subject} has not ${times} times the throughput of ${rival}`);
  }
  return missed.map((what) => `missed in ${name}: ${what}`);
}
