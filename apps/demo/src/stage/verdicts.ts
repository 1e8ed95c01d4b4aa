import type { Printer } from './printer.ts';

interface Verdict {
  readonly expected: string;
  readonly measured: string;
  readonly met: boolean | undefined;
}

/** What the demo promised and what this run measured. */
export class Verdicts {
  readonly #all: Verdict[] = [];

  /** An expectation that this run met or failed; `undefined` where this run could not judge it. */
  expect(expected: string, measured: string, met: boolean | undefined): void {
    this.#all.push({ expected, measured, met });
  }

  get failed(): readonly string[] {
    return this.#all.filter(({ met }) => met === false).map(({ expected }) => expected);
  }

  print(printer: Printer): void {
    printer.title('Summary of this run');
    printer.table([
      ['expected', 'measured', 'verdict'],
      ...this.#all.map(({ expected, measured, met }) => [expected, measured, wordFor(met)]),
    ]);
    printer.line('');
    for (const expected of this.failed) printer.bad(`Failed: ${expected}`);
    if (this.failed.length === 0) printer.good('Every expectation that could be judged was met.');
  }
}

function wordFor(met: boolean | undefined): string {
  if (met === undefined) return 'not judged';
  return met ? 'met' : 'FAILED';
}
