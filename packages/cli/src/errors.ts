import { TierkitError } from '@tierkit/core';
import { EXIT, type ExitCode } from './exit-codes.ts';

export type CliErrorCode =
  /** An argument, an option or a variable cannot be used. */
  | 'ERR_CLI_USAGE'
  /** Nothing exists under that name. */
  | 'ERR_CLI_NOT_FOUND'
  /** Nobody said yes to a change. */
  | 'ERR_CLI_UNCONFIRMED'
  /** The admin API does not answer. */
  | 'ERR_CLI_ADMIN_UNAVAILABLE'
  /** The admin API refused the call; `details.status` and `details.problem` say why. */
  | 'ERR_CLI_ADMIN_REFUSED'
  /** Redis took a change only in part, or nobody knows. */
  | 'ERR_CLI_PARTIAL';

export function cliError(
  code: CliErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): TierkitError<CliErrorCode> {
  return new TierkitError(code, message, { details, cause });
}

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  ERR_CLI_USAGE: EXIT.usage,
  ERR_CLI_NOT_FOUND: EXIT.notFound,
  ERR_CLI_UNCONFIRMED: EXIT.unconfirmed,
  ERR_CLI_ADMIN_UNAVAILABLE: EXIT.unreachable,
  ERR_REDIS_UNAVAILABLE: EXIT.unreachable,
  ERR_REDIS_TIMEOUT: EXIT.unreachable,
  ERR_LOCK_UNAVAILABLE: EXIT.unreachable,
  ERR_TIERKIT_ENVIRONMENT: EXIT.usage,
  ERR_TIERKIT_OPTIONS: EXIT.usage,
  ERR_ADMIN_OPTIONS: EXIT.usage,
  ERR_CACHE_CURSOR: EXIT.usage,
  ERR_CACHE_TAGS: EXIT.usage,
  ERR_LOCK_OPTIONS: EXIT.usage,
  ERR_BUS_OPTIONS: EXIT.usage,
  ERR_BUS_CHANNEL: EXIT.usage,
  ERR_CACHE_OPTIONS: EXIT.usage,
  ERR_REDIS_OPTIONS: EXIT.usage,
  ERR_KEY_INVALID: EXIT.usage,
  ERR_PATTERN_INVALID: EXIT.usage,
  ERR_DURATION_INVALID: EXIT.usage,
};

/** The exit code that an error ends the command with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof TierkitError)) return EXIT.failed;
  if (isNoPermission(error)) return EXIT.refused;
  if (isForeign(error)) return EXIT.failed;
  if (error.code === 'ERR_CLI_ADMIN_REFUSED') {
    const { status } = error.details;
    if (status === 401 || status === 403) return EXIT.refused;
    if (status === 404) return EXIT.notFound;
    if (status === 400 || status === 413) return EXIT.usage;
    return status === 503 || status === 504 ? EXIT.unreachable : EXIT.failed;
  }
  return BY_CODE[error.code] ?? EXIT.failed;
}

/** Whether what stands under the name of a lock was not written by one. */
export function isForeign({ cause }: Partial<Error>): boolean {
  return cause instanceof TierkitError && cause.details['reply'] === 'FOREIGN';
}

/** For a command within a script, Redis has no code but a sentence. */
const NO_PERMISSION = /\b(?:NOPERM|NOAUTH|WRONGPASS)\b|The user executing the script can't/;

/** Whether Redis refused a command or a connection for want of rights, here or in what it was caused by. */
export function isNoPermission(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (NO_PERMISSION.test(at.message)) return true;
  }
  return false;
}
