import { faults } from './faulty-redis.ts';
import type { FaultReport } from './run-fault.ts';

const heading = [
  'topology',
  'what happens for 4 s',
  'longest call, ms',
  'callers wait in vain until, s',
  'told "down" after, s',
  'calls succeed again after, s',
  '`close()` meanwhile, ms',
];

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

/** The reports as a Markdown table; times in seconds count from the beginning of the fault. */
export function faultTable(reports: readonly FaultReport[]): string {
  const rows = reports.map((report) => [
    report.topology,
    faults[report.fault],
    String(Math.round(report.longestMs)),
    report.waitedUntilMs === 0 ? 'never' : seconds(report.waitedUntilMs),
    report.downAfterMs === undefined ? '' : seconds(report.downAfterMs),
    seconds(report.failedUntilMs),
    String(Math.round(report.closeMs)),
  ]);
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}
