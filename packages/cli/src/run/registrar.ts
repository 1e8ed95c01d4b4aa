import { Command, Option } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import type { Session } from './session.ts';

/** What a command does; its exit code is 0 unless it says another. */
export type Body<Args extends readonly unknown[]> = (session: Session, ...args: Args) => Promise<ExitCode | undefined>;

/** How the files in `commands/` add themselves. */
export interface Registrar {
  /** A command with the options that all have. */
  readonly command: (usage: string, summary: string) => Command;
  /** What a command's arguments and, last, its options are given to. */
  readonly action: <Args extends readonly unknown[]>(body: Body<Args>) => (...given: unknown[]) => Promise<void>;
}

/** Adds the options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'Redis, without a password; else REDIS_URL and the other variables say where'))
    .addOption(new Option('--db <number>', 'the database, in place of that of the URL'))
    .addOption(new Option('--prefix <text>', 'what goes before every key of the service (else TIERKIT_PREFIX)'))
    .addOption(new Option('--timeout <duration>', 'how long to wait for an answer, such as 500ms or 10s').default('5s'))
    .addOption(new Option('--json', 'results as JSON on stdout, errors as JSON on stderr'));
}

/** `--admin`, for what a running service knows. */
export const adminOption = (): Option =>
  new Option(
    '--admin <url>',
    "ask a running service's admin API (else TIERKIT_ADMIN_URL); its token is in TIERKIT_ADMIN_TOKEN",
  );

/** Where entries are. */
export function withPlaceOptions(command: Command): Command {
  return command
    .option('--tier <name>', 'a tier such as session or project (default: global)')
    .option('--scope <id>', 'one scope of the tier');
}

export const yesOption = (): Option => new Option('-y, --yes', 'do it without asking');
