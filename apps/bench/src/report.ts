import type { Extras, ScenarioResult } from './run-scenario.ts';
import { median, type Median } from './statistics.ts';

/** One row of the JSON file. */
export interface Row extends Extras {
  readonly scenario: string;
  readonly subject: string;
  readonly opsPerSecond: number;
  /** Time per operation over the limit's in the same run: 1 is the limit, more is slower. */
  readonly ratioToLimit: number;
  /** Throughput over that of the best peer in the same run: more than 1 is faster. Null where there is no peer. */
  readonly ratioToBestPeer: number | null;
}

/** A row with what only the table shows. */
export interface Summary extends Omit<Row, keyof Extras> {
  readonly nsPerOperation: number;
  /** Interval of `ratioToLimit`. */
  readonly interval: Median;
  readonly commandsPerRead: number;
  readonly extras: Extras;
}

/** Ratios are medians of the ratios within each round; the first subject with the role `limit` is the limit. */
export function summarise(result: ScenarioResult): Summary[] {
  const { scenario, subjects, timings } = result;
  const rounds = new Map(timings.map(({ name, nsPerOperation }) => [name, nsPerOperation]));
  const of = (name: string): readonly number[] => rounds.get(name) ?? [];
  const limit = subjects.find(({ role }) => role === 'limit');
  if (limit === undefined) throw new Error(`${scenario.name} has no limit`);
  const [bestPeer] = subjects
    .filter(({ role }) => role === 'peer')
    .map(({ name }) => ({ name, ns: median(of(name)).value }))
    .sort((a, b) => a.ns - b.ns);
  return subjects.map(({ name }) => {
    const nsPerOperation = median(of(name)).value;
    const interval = median(ratios(of(name), of(limit.name)));
    return {
      scenario: scenario.name,
      subject: name,
      opsPerSecond: Math.round(1e9 / nsPerOperation),
      ratioToLimit: rounded(interval.value),
      ratioToBestPeer: bestPeer === undefined ? null : rounded(median(ratios(of(bestPeer.name), of(name))).value),
      nsPerOperation,
      interval,
      commandsPerRead: result.commandsPerRead.get(name) ?? 0,
      extras: result.extras?.get(name) ?? {},
    };
  });
}

export function toRow({ scenario, subject, opsPerSecond, ratioToLimit, ratioToBestPeer, extras }: Summary): Row {
  return { scenario, subject, opsPerSecond, ratioToLimit, ratioToBestPeer, ...extras };
}

/** A table for people, fastest first, with the goal and whoever is absent. */
export function renderTable(result: ScenarioResult, summaries: readonly Summary[]): string {
  const { scenario, absent, commandsPerRead, units = ['ns/op', 'ops/s'] } = result;
  const counted = [...new Set(summaries.flatMap(({ extras }) => Object.keys(extras)))] as (keyof Extras)[];
  const withCommands = commandsPerRead.size > 0;
  const head = ['subject', ...units, 'x limit', '95 % interval', 'x best peer', ...counted];
  if (withCommands) head.push('commands/op');
  const cells = (row: Summary): string[] => {
    const texts = [
      row.subject,
      row.nsPerOperation.toFixed(0),
      String(row.opsPerSecond),
      row.ratioToLimit.toFixed(2),
      `${row.interval.low.toFixed(2)} to ${row.interval.high.toFixed(2)}`,
      row.ratioToBestPeer?.toFixed(2) ?? '',
    ];
    for (const field of counted) texts.push(String(row.extras[field] ?? ''));
    if (withCommands) texts.push(row.commandsPerRead.toFixed(2));
    return texts;
  };
  const lines = summaries.toSorted((a, b) => a.ratioToLimit - b.ratioToLimit).map(cells);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const align = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [
    scenario.goal === undefined
      ? scenario.name
      : `${scenario.name} (tierkit may take ${scenario.goal} times the limit)`,
    align(head),
    ...lines.map(align),
    ...absent.map(({ name, reason }) => `absent: ${name}: ${reason}`),
    '',
  ].join('\n');
}

function ratios(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, round) => value / (below[round] ?? Number.NaN));
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
