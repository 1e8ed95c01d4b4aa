import { compileFunction } from 'node:vm';
import type { Runner } from './measure.ts';
import type { Load, OpenSubject } from './subject.ts';

export interface Workload {
  readonly keys: readonly string[];
  /** How many reads are under way at a time. */
  readonly concurrency: number;
}

type Run = (operations: number) => Promise<void>;
type Prepare = (subject: OpenSubject, keys: readonly string[], concurrency: number, load: Load) => Run;

/** Reads the keys in turn, over and over; a read that finds nothing fails the run. */
export function createRunner(name: string, subject: OpenSubject, workload: Workload): Runner {
  // Compiled once per subject: in a loop that all share, V8 would optimise the call for none of them.
  const prepare = compileFunction(workload.concurrency === 1 ? sequential : concurrent, [
    'subject',
    'keys',
    'concurrency',
    'load',
  ]) as Prepare;
  return { name, run: prepare(subject, workload.keys, workload.concurrency, neverNeeded) };
}

/** The load of a hit. */
export async function neverNeeded(): Promise<never> {
  throw new Error('a hit must not load');
}

const sequential = `
  let next = 0;
  return async function run(operations) {
    let at = next;
    for (let i = 0; i < operations; i++) {
      const value = await subject.read(keys[at], load);
      if (value === undefined) throw new Error('a read found nothing: ' + keys[at]);
      if (++at === keys.length) at = 0;
    }
    next = at;
  };`;

const concurrent = `
  let at = 0;
  let left = 0;
  async function worker() {
    while (left > 0) {
      left--;
      const key = keys[at];
      if (++at === keys.length) at = 0;
      const value = await subject.read(key, load);
      if (value === undefined) throw new Error('a read found nothing: ' + key);
    }
  }
  return async function run(operations) {
    left = operations;
    await Promise.all(Array.from({ length: concurrency }, worker));
  };`;
