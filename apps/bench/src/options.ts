import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Few rounds: a group of scenarios ends within a minute, at the cost of wider intervals. */
  readonly quick: boolean;
  /** Prints the names of the scenarios and measures nothing. */
  readonly list: boolean;
  /** Scenarios whose name it matches. */
  readonly only: RegExp;
  /** Where the rows go as JSON. */
  readonly json: string | undefined;
}

export const usage = 'usage: npm run bench -- [--quick] [--json FILE] [--only PATTERN] [--list]';

/** Reads the command line; a fault is an `Error` whose message is one line. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      json: { type: 'string' },
    },
  });
  if (values.json === '') throw new Error('--json needs the name of a file');
  return { quick: values.quick, list: values.list, only: pattern(values.only), json: values.json };
}

function pattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new Error(`--only is no regular expression: ${source}`);
  }
}
