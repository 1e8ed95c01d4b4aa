import { TierkitError } from '@tierkit/core';
import { exitCodeOf } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { printable } from '../output/printable.ts';

/** Why Redis did not confirm a change, and the code that the command ends with for it. */
export interface Unconfirmed {
  readonly error: TierkitError;
  readonly reason: string;
  readonly exitCode: ExitCode;
}

/** Waits for changes that are `required`. @returns undefined if Redis confirmed all */
export async function confirmation(changes: readonly Promise<unknown>[]): Promise<Unconfirmed | undefined> {
  const settled = await Promise.allSettled(changes);
  let unconfirmed: Unconfirmed | undefined;
  for (const change of settled) {
    if (change.status === 'fulfilled') continue;
    const error: unknown = change.reason;
    if (!(error instanceof TierkitError) || error.code !== 'ERR_CACHE_UNCONFIRMED') throw error;
    const { cause } = error;
    const reason = printable(cause instanceof Error ? cause.message : error.message, 300);
    unconfirmed ??= { error, reason, exitCode: exitCodeOf(error) };
  }
  return unconfirmed;
}
