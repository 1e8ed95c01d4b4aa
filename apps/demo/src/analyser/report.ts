type FindingKind =
  | 'syntax error'
  | 'binary file'
  | 'too deep to parse'
  | 'long function'
  | 'complex function'
  | 'unresolved import';

/** One thing worth a look in a file. */
export interface Finding {
  readonly kind: FindingKind;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

export interface FunctionMeasure {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  /** Cyclomatic: 1, plus one for every branch, loop, catch and short-circuit. */
  readonly complexity: number;
}

/** Whether an imported file exists is asked of the file system, not of the cache. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** What the analysis found: a function of the file's name and text alone, so it can be cached by content. */
export interface FileReport {
  readonly bytes: number;
  readonly lines: number;
  /** The sum over the file's functions and its top level. */
  readonly complexity: number;
  /** Names that the ES module exports; `*` stands for a re-export of everything. */
  readonly exports: readonly string[];
  readonly functions: readonly FunctionMeasure[];
  readonly imports: readonly Import[];
  readonly findings: readonly Finding[];
}
