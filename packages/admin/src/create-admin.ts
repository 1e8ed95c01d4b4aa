import { OpenAPIHono } from '@hono/zod-openapi';
import { observeOrUndo, safeLogger, type Logger, type Telemetry } from '@tierkit/core';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { AuditLog, type AuditEvent } from './access/audit.ts';
import { authenticator, type AdminToken } from './access/tokens.ts';
import { joinParts, type AdminParts } from './admin-parts.ts';
import type { AdminSource } from './admin-source.ts';
import { dashboardRoutes } from './dashboard.ts';
import { liveAmong } from './live-telemetry.ts';
import { LiveFeed } from './live-feed.ts';
import { adminError, problem, problemOf, problemResponse, type Problem } from './problem.ts';
import type { AdminEnv, RouteRow, RouteTable } from './route.ts';
import { countRequests } from './request-counter.ts';
import { clearRoutes } from './routes/clear.ts';
import { healthRoutes } from './routes/health.ts';
import { instanceRoutes } from './routes/instances.ts';
import { keyRoutes } from './routes/keys.ts';
import { liveRoutes } from './routes/live.ts';
import { lockRoutes } from './routes/locks.ts';
import { queueRoutes } from './routes/queues.ts';
import { selfRoutes } from './routes/self.ts';
import { statsRoutes } from './routes/stats.ts';
import { subjectRoutes } from './routes/subjects.ts';
import { usageRoutes } from './routes/usage.ts';
import { writeBehindPart } from './write-behind-part.ts';

export interface AdminOptions {
  /** Who may do what. Without a token that is listed here nothing answers. */
  readonly tokens: readonly AdminToken[];
  /** Told of every call that changed something, read a value, or was refused. @default nobody */
  readonly onAudit?: (event: AuditEvent) => unknown;
  /** Gets audit events too, at `info`. @default nobody */
  readonly logger?: Logger;
  /** Locks, limiters, quotas and queues besides those that the kit has. @default none */
  readonly parts?: AdminParts;
  /**
   * What the kit was given as well: told of requests by route and status; and where one is a `createLiveTelemetry()`, the
   * dashboard shows latencies and decisions of limiters. @default nobody is told, and it shows neither
   */
  readonly telemetry?: Telemetry | readonly Telemetry[];
  /** Live streams that may be open at a time. @default 20 */
  readonly maxStreams?: number;
  /** Whether `GET /` is the dashboard, which asks for a token itself. @default true */
  readonly dashboard?: boolean;
}

export interface Admin {
  /** A Hono app: `app.fetch` answers a Request; mount it with Hono's `route` or `mount`. */
  readonly app: OpenAPIHono<AdminEnv>;
  /** The OpenAPI 3.1 document, made from the schemas that check the input. */
  readonly openapi: Readonly<Record<string, unknown>>;
  /** Ends live streams and timers. It may be called again. */
  close(): void;
}

function inputProblem({ status, message }: HTTPException): Problem {
  return problem(status, status === 413 ? 'ERR_ADMIN_TOO_LARGE' : 'ERR_ADMIN_INPUT', message.slice(0, 300));
}

/** No route takes a larger body. */
const MAX_BODY_BYTES = 16_384;
/** Each route and right, for the tests: a route without a row in their table fails. */
const rowsOf = new WeakMap<Admin, readonly RouteRow[]>();

/** @internal */
export function routesOf(admin: Admin): readonly RouteRow[] {
  return rowsOf.get(admin) ?? [];
}

/**
 * A management API for a kit, as a Hono app that any server can mount. Every route needs a bearer token with the right
 * that the route names; all else is refused. It opens nothing and closes nothing of the kit's.
 *
 * @throws {TierkitError} `ERR_ADMIN_OPTIONS` naming every fault; what a telemetry refuses it with
 */
export function createAdmin(kit: AdminSource, options: AdminOptions): Admin {
  const logger = safeLogger(options.logger);
  const authenticate = authenticator(options.tokens);
  const audit = new AuditLog(logger, options.onAudit);
  const behind = { queues: () => kit.inspection.queues.map(writeBehindPart) };
  const parts = joinParts(options.parts ?? {}, kit, behind);
  const live = new LiveFeed(kit, options.maxStreams ?? 20, liveAmong(options.telemetry));
  const { requests, counting } = countRequests();
  const app = new OpenAPIHono<AdminEnv>({
    strict: false,
    defaultHook: (result) => {
      if (result.success) return undefined;
      const [issue] = result.error.issues;
      const where = issue?.path.join('.') ?? '';
      const rule = issue?.message ?? 'invalid';
      throw adminError('ERR_ADMIN_INPUT', (where === '' ? rule : `${where}: ${rule}`).slice(0, 300));
    },
  });
  app.onError((error) => {
    // Hono's own, of a body that is no JSON.
    const body = error instanceof HTTPException ? inputProblem(error) : problemOf(error);
    if (body.status === 500) logger.error({ error: String(error) }, 'the admin API failed');
    return problemResponse(body);
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'self'"], frameAncestors: ["'none'"], objectSrc: ["'none'"] },
      referrerPolicy: 'no-referrer',
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
  );
  if (options.dashboard !== false) dashboardRoutes(app);
  app.use(counting);
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  app.use(async (c, next) => {
    const actor = authenticate(/^Bearer ([\x21-\x7e]+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '');
    if (actor === undefined) {
      logger.warn({ method: c.req.method, path: c.req.path }, 'a call of the admin API has no token that is known');
      throw adminError('ERR_ADMIN_UNAUTHENTICATED', 'a bearer token is needed');
    }
    c.set('actor', actor);
    await next();
    const audited = c.get('audited');
    if (audited === undefined) return;
    const { method, path } = c.req;
    audit.add({ at: Date.now(), actor: actor.name, method, path, ...audited, status: c.res.status });
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => problemResponse(problem(413, 'ERR_ADMIN_TOO_LARGE', `${MAX_BODY_BYTES} bytes at the most`)),
    }),
  );

  const rows: RouteRow[] = [];
  const table: RouteTable = { app, audit, rows, document: () => openapi };
  statsRoutes(table, kit);
  keyRoutes(table, kit);
  clearRoutes(table, kit);
  usageRoutes(table, kit);
  healthRoutes(table, kit);
  instanceRoutes(table, kit);
  lockRoutes(table, parts);
  subjectRoutes(table, parts);
  queueRoutes(table, parts);
  liveRoutes(table, live);
  selfRoutes(table, audit);
  app.all('*', () => problemResponse(problem(404, 'ERR_ADMIN_NOT_FOUND', 'there is no such route')));
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  const openapi = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'tierkit admin', version: '1', description: 'What an operator asks of a tierkit, and does to it.' },
  }) as unknown as Readonly<Record<string, unknown>>;

  const stopObserving = observeOrUndo(options.telemetry, requests, () => live.close());
  const close = (): void => {
    stopObserving();
    live.close();
  };
  const admin: Admin = { app, openapi, close };
  rowsOf.set(admin, rows);
  return admin;
}
