import { Command, CommanderError } from 'commander';
import { TierkitError } from '@tierkit/core';
import { adminCommand } from './commands/admin.ts';
import { benchCommand } from './commands/bench.ts';
import { clearCommand } from './commands/clear.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { doctorCommand } from './commands/doctor.ts';
import { entryCommands } from './commands/entry.ts';
import { eventsCommand } from './commands/events.ts';
import { invalidateCommand } from './commands/invalidate.ts';
import { keysCommand } from './commands/keys.ts';
import { limitsCommand } from './commands/limits.ts';
import { locksCommand } from './commands/locks.ts';
import { quotaCommand } from './commands/quota.ts';
import { statsCommand } from './commands/stats.ts';
import { topCommand } from './commands/top.ts';
import { exitCodeOf } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { CliHost } from './host.ts';
import { Interruption } from './interruption.ts';
import { Output, type TextSink } from './output/output.ts';
import type { Asker } from './run/confirm.ts';
import { withCommonOptions, type Body, type Registrar } from './run/registrar.ts';
import { Session } from './run/session.ts';
import type { CommonOptions, Environment } from './run/settings.ts';

export interface CliOptions {
  readonly host: CliHost;
  /** What follows the name of the command. */
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Where somebody is asked and answers, if both are terminals. @default nobody is asked */
  readonly terminal?: Asker;
  /** Ends the command in an orderly way; an {@link Interruption} as reason says with which exit code. @default never */
  readonly signal?: AbortSignal;
}

/** Runs the command once; it never rejects, and leaves nothing open. @returns the exit code */
export async function runCli(options: CliOptions): Promise<ExitCode> {
  const { args, stdout, stderr, host } = options;
  let exitCode: ExitCode = EXIT.done;
  const json = args.includes('--json');
  const program = new Command('tierkit')
    .description('Looks at and operates the caches, locks, limits, quotas and events of tierkit in a Redis.')
    .version(host.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // What is wrong with arguments is told below, as all errors are.
      writeErr: (text) => void (json || stderr.write(text)),
      outputError: () => {},
    })
    .addHelpText('after', AFTER_HELP);
  const registrar: Registrar = {
    command: (usage, summary) => withCommonOptions(program.command(usage).description(summary)),
    action:
      (body) =>
      async (...given) => {
        // Commander gives arguments, options, and the command itself.
        const parts = given.slice(0, -1);
        exitCode = await runBody(options, parts.at(-1) as CommonOptions, body as Body<readonly unknown[]>, parts);
      },
  };
  for (const register of COMMANDS) register(registrar);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help and the version end so as well.
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.done;
    const message = error.code === 'commander.help' ? 'a command is needed' : error.message.replace(/^error: /, '');
    new Output(stdout, stderr, json).error('ERR_CLI_USAGE', `${message}\n(--help says more)`);
    return EXIT.usage;
  }
}

async function runBody(
  { host, environment, stdout, stderr, terminal = NOBODY, signal = new AbortController().signal }: CliOptions,
  options: CommonOptions,
  body: Body<readonly unknown[]>,
  given: readonly unknown[],
): Promise<ExitCode> {
  const output = new Output(stdout, stderr, options.json === true);
  let session: Session | undefined;
  try {
    session = new Session({ host, environment, options, output, signal, asker: terminal });
    signal.throwIfAborted();
    return (await body(session, ...given)) ?? EXIT.done;
  } catch (error) {
    if (signal.aborted) {
      const reason: unknown = signal.reason;
      output.error('ERR_CLI_INTERRUPTED', 'ended before it was done');
      return reason instanceof Interruption ? reason.exitCode : EXIT.interrupted;
    }
    if (error instanceof TierkitError) output.error(error.code, error.message);
    else output.error('ERR_CLI_INTERNAL', error instanceof Error ? (error.stack ?? error.message) : String(error));
    return exitCodeOf(error);
  } finally {
    await session?.close();
  }
}

const NOBODY: Asker = { input: undefined, output: undefined };

const COMMANDS: readonly ((registrar: Registrar) => void)[] = [
  statsCommand,
  topCommand,
  keysCommand,
  entryCommands,
  invalidateCommand,
  clearCommand,
  locksCommand,
  limitsCommand,
  quotaCommand,
  eventsCommand,
  deadLettersCommand,
  doctorCommand,
  adminCommand,
  benchCommand,
];

const AFTER_HELP = `
Where things are known:
  Redis knows keys and values, locks, who was counted by limiters and quotas, streams, dead letters, and which instances
  are alive. It is found as services find it: REDIS_URL, or REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_PASSWORD, and
  CACHE_REDIS_URL where the cache has a Redis of its own. With REDIS_CLUSTER=true or REDIS_SENTINEL_NAME, REDIS_URL names a
  node or a Sentinel, and REDIS_NODES more of them. Give --prefix (or TIERKIT_PREFIX) if the service has one.
  A running service alone knows its hit rates, its in-process level, its top keys, and the policies of its limiters and
  quotas. stats, top, limits and quota ask its admin API: --admin http://host:port/admin (or TIERKIT_ADMIN_URL), with the
  token in TIERKIT_ADMIN_TOKEN and nowhere else.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 Redis or the admin API does not answer, 5 not allowed,
  6 nobody confirmed, 130 ended by Ctrl-C, 143 by SIGTERM.`;
