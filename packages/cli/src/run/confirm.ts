import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { cliError } from '../errors.ts';

/** Whom to ask before something is changed. */
export interface Asker {
  /** Undefined where nobody sits at a terminal. */
  readonly input: (NodeJS.ReadableStream & { readonly isTTY?: boolean }) | undefined;
  /** Where questions are shown. */
  readonly output: (NodeJS.WritableStream & { readonly isTTY?: boolean }) | undefined;
}

export interface Confirmation {
  /** What is about to happen, in one printable line. */
  readonly question: string;
  /** Given beforehand, by `--yes`. */
  readonly yes: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * Returns once somebody has agreed: beforehand, or now at the terminal.
 *
 * @throws {TierkitError} `ERR_CLI_UNCONFIRMED`: nobody did
 */
export async function confirm(asker: Asker, { question, yes, signal }: Confirmation): Promise<void> {
  if (yes === true) return;
  const { input, output } = asker;
  if (input?.isTTY !== true || output?.isTTY !== true) {
    throw cliError('ERR_CLI_UNCONFIRMED', `${question} Nothing was changed: repeat with --yes`);
  }
  const terminal = createInterface({ input, output });
  // In raw mode the terminal hands Ctrl-C to us rather than to the process.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new AbortController();
  try {
    const left = once(terminal, 'close', { signal: ended.signal }).then(
      () => '',
      () => '',
    );
    // The end of the input is no yes, whichever of the two tells of it first.
    const asked = terminal.question(`${question} [y/N] `, { signal }).catch(() => '');
    const answer = await Promise.race([asked, left]);
    signal.throwIfAborted();
    if (!/^y(?:es)?$/i.test(answer.trim())) throw cliError('ERR_CLI_UNCONFIRMED', 'Nothing was changed');
  } finally {
    ended.abort();
    terminal.close();
  }
}
