import { TierkitError } from '@tierkit/core';
import type { Redact } from './redact.ts';

/** The codes of this package's errors; the README says what each means and what to do. */
export type RedisErrorCode =
  | 'ERR_REDIS_OPTIONS'
  | 'ERR_REDIS_UNAVAILABLE'
  | 'ERR_REDIS_TIMEOUT'
  | 'ERR_REDIS_REPLY'
  | 'ERR_SCRIPT_DEFINITION'
  | 'ERR_SCRIPT_ARGUMENT'
  | 'ERR_CROSS_SLOT';

/** Whether a failed command took effect: it did not, or nobody can tell. */
export type Applied = 'no' | 'unknown';

// Replies of a server that is there but cannot serve: they count for the breaker as a lost connection does.
const OUTAGES = new Set(['LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'BUSY', 'UNKILLABLE']);

const NOT_SENT =
  /isn't writeable|isn't ready and enableOfflineQueue|None of startup nodes|All sentinels are unreachable/;
const LOST =
  /Connection is closed|max retries per request|aborted due to connection close|Cluster is ended|Socket timeout/;
const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
]);

/** What ioredis reports, as a `TierkitError` without passwords and arguments; any other error is returned as it is. */
export function translateRedisError(error: unknown, redact: Redact): unknown {
  if (!(error instanceof Error) || error instanceof TierkitError) return error;
  const { message } = error;
  if (error.name === 'ReplyError') return replyError(message, error, redact);
  if (message === 'Command timed out') return timeoutError(error, redact);
  if (message.startsWith('Too many Cluster redirections')) {
    return replyError(/ReplyError: (.*)$/s.exec(message)?.[1] ?? 'MOVED', error, redact);
  }
  const lost = LOST.test(message) || SOCKET.has(String((error as NodeJS.ErrnoException).code));
  if (!lost && !NOT_SENT.test(message)) return error;
  return unavailable(
    lost ? 'The connection to Redis was lost before the reply came' : 'Redis is not connected',
    lost ? 'unknown' : 'no',
    sanitized(error, redact),
  );
}

export function unavailable(message: string, applied: Applied, reason?: Error): TierkitError<'ERR_REDIS_UNAVAILABLE'> {
  return new TierkitError('ERR_REDIS_UNAVAILABLE', message, { cause: reason, details: { applied } });
}

/** Whether an error says that Redis cannot be used at the moment, rather than that it refused one command. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof TierkitError)) return false;
  if (error.code === 'ERR_REDIS_UNAVAILABLE' || error.code === 'ERR_REDIS_TIMEOUT') return true;
  return error.code === 'ERR_REDIS_REPLY' && OUTAGES.has(String(error.details['reply']));
}

function timeoutError(error: Error, redact: Redact): TierkitError<'ERR_REDIS_TIMEOUT'> {
  return new TierkitError('ERR_REDIS_TIMEOUT', 'Redis did not answer in time; the command may have been applied', {
    cause: sanitized(error, redact),
    details: { applied: 'unknown' satisfies Applied },
  });
}

function replyError(message: string, error: Error, redact: Redact): TierkitError<'ERR_REDIS_REPLY'> {
  const reply = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
  // A script that failed half-way keeps what it had written.
  const applied: Applied = message.includes('user_script') ? 'unknown' : 'no';
  return new TierkitError('ERR_REDIS_REPLY', `Redis refused the command: ${redact(message)}`, {
    cause: sanitized(error, redact),
    details: { reply, applied },
  });
}

/** A copy without secrets and without ioredis's `command`, whose arguments hold values and, for AUTH, the password. */
export function sanitized(error: Error, redact: Redact): Error {
  const copy = new Error(redact(messageOf(error)));
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = redact(error.stack);
  return copy;
}

// Where a name has several addresses, Node reports an AggregateError without a message.
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join(', ');
}

export function crossSlot(what: string): TierkitError<'ERR_CROSS_SLOT'> {
  return new TierkitError(
    'ERR_CROSS_SLOT',
    `${what}: the keys belong to different slots of the Cluster; give them one {hash tag}`,
    { details: { what } },
  );
}
