import { TierkitError } from '@tierkit/core';
import { z } from '@hono/zod-openapi';

/** An error as RFC 9457 describes it, with a code to match on. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string().optional(),
  })
  .openapi('Problem');
export type Problem = z.infer<typeof Problem>;

export type AdminErrorCode =
  /** An option is missing or has a bad value; every fault is named. */
  | 'ERR_ADMIN_OPTIONS'
  /** No bearer token, or none that is known. */
  | 'ERR_ADMIN_UNAUTHENTICATED'
  /** The token lacks the right that the route needs. */
  | 'ERR_ADMIN_FORBIDDEN'
  /** No such route, or nothing of that name. */
  | 'ERR_ADMIN_NOT_FOUND'
  /** A parameter or the body is not what the OpenAPI document says. */
  | 'ERR_ADMIN_INPUT'
  /** The body is larger than any that a route takes. */
  | 'ERR_ADMIN_TOO_LARGE'
  /** What stands in Redis under the name was not written by tierkit. */
  | 'ERR_ADMIN_FOREIGN'
  /** As many live streams are open as there may be. */
  | 'ERR_ADMIN_BUSY'
  /** Something failed that should not: the log says what. */
  | 'ERR_ADMIN_INTERNAL';

const STATUS: Readonly<Record<AdminErrorCode, number>> = {
  ERR_ADMIN_OPTIONS: 500,
  ERR_ADMIN_UNAUTHENTICATED: 401,
  ERR_ADMIN_FORBIDDEN: 403,
  ERR_ADMIN_NOT_FOUND: 404,
  ERR_ADMIN_INPUT: 400,
  ERR_ADMIN_FOREIGN: 409,
  ERR_ADMIN_TOO_LARGE: 413,
  ERR_ADMIN_BUSY: 503,
  ERR_ADMIN_INTERNAL: 500,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  408: 'The request took too long',
  409: 'Conflict',
  413: 'Body too large',
  415: 'The body must be application/json',
  431: 'Headers too large',
  502: 'Redis refused the command',
  503: 'Unavailable',
  504: 'Redis did not answer in time',
};

/** What is not to be had for now, or as things stand. */
const OTHER_STATUS: Readonly<Record<string, number>> = {
  ERR_REDIS_UNAVAILABLE: 503,
  ERR_REDIS_TIMEOUT: 504,
  ERR_REDIS_REPLY: 502,
  ERR_LOCK_UNAVAILABLE: 503,
  ERR_LOCK_NO_QUORUM: 503,
  ERR_LIMIT_UNAVAILABLE: 503,
  ERR_QUOTA_UNAVAILABLE: 503,
  ERR_QUOTA_CORRUPT: 409,
  ERR_QUOTA_PLAN: 409,
};

/** Codes of tierkit that tell of what the caller gave. */
const CALLERS_FAULT =
  /^ERR_(?:KEY|PATTERN)_INVALID$|^ERR_CACHE_(?:CURSOR|OPTIONS|TAGS)$|^ERR_(?:BUS_POSITION|LOCK_OPTIONS|QUOTA_AMOUNTS)$/;

export function adminError(code: AdminErrorCode, message: string): TierkitError<AdminErrorCode> {
  return new TierkitError(code, message);
}

/** What the caller is told of an error: nothing of one that is not tierkit's own. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof TierkitError)) return problem(500, 'ERR_ADMIN_INTERNAL');
  const { code, message } = error;
  if (Object.hasOwn(STATUS, code)) return problem(STATUS[code as AdminErrorCode], code, message);
  if (isForeign(error)) {
    return problem(409, 'ERR_ADMIN_FOREIGN', 'what stands in Redis under this name was not written by tierkit');
  }
  const closed = code.endsWith('_CLOSED') ? 503 : 500;
  const status = OTHER_STATUS[code] ?? (CALLERS_FAULT.test(code) ? 400 : closed);
  return problem(status, code, status < 500 ? message : undefined);
}

/** A key of another type than it should be, or a lock that is none: Redis says so, or a script of ours. */
function isForeign(error: unknown): boolean {
  if (!(error instanceof TierkitError)) return false;
  if (error.code === 'ERR_REDIS_REPLY' && /\b(?:WRONGTYPE|FOREIGN)\b/.test(error.message)) return true;
  return isForeign(error.cause);
}

export function problem(status: number, code: string, detail?: string): Problem {
  const title = TITLES[status] ?? 'Internal error';
  return { type: 'about:blank', title, status, code, ...(detail === undefined ? {} : { detail }) };
}

export function problemResponse(body: Problem): Response {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (body.status === 401) headers['www-authenticate'] = 'Bearer';
  return new Response(JSON.stringify(body), { status: body.status, headers });
}
