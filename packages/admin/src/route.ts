import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { AuditLog } from './access/audit.ts';
import type { Right } from './access/rights.ts';
import type { Actor } from './access/tokens.ts';
import { nameOfSegment } from './path-name.ts';
import { adminError, Problem } from './problem.ts';

/** What each request carries along. */
export interface AdminEnv {
  Variables: { actor: Actor; audited: Audited | undefined };
}

interface Audited {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  outcome?: Readonly<Record<string, unknown>>;
}

type Shape = z.ZodObject;
type Parsed<S extends Shape | undefined> = S extends Shape ? z.output<S> : object;

export interface RouteSpec<
  Reply extends z.ZodType,
  Params extends Shape | undefined = undefined,
  Query extends Shape | undefined = undefined,
  Body extends Shape | undefined = undefined,
> {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` for a parameter. */
  readonly path: string;
  /** Other paths of the same route. */
  readonly also?: readonly string[];
  /** Its name for clients that are generated, and in the audit log. */
  readonly operation: string;
  readonly summary: string;
  readonly tag: string;
  /** What a token must be allowed; `'any'` for whoever has a token. */
  readonly right: Right | 'any';
  /** Whether calls are audited. @default those that are no GET */
  readonly audit?: boolean;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly reply: Reply;
}

export interface Call<
  Params extends Shape | undefined,
  Query extends Shape | undefined,
  Body extends Shape | undefined,
> {
  readonly params: Parsed<Params>;
  readonly query: Parsed<Query>;
  readonly body: Parsed<Body>;
  readonly actor: Actor;
  readonly request: Request;
  /** Adds what was changed to the audit log. */
  readonly note: (outcome: Readonly<Record<string, unknown>>) => void;
}

/** A route as the tests look at it: who may use it, and what it answers. */
export interface RouteRow {
  readonly method: string;
  readonly path: string;
  readonly operation: string;
  readonly right: Right | 'any';
  readonly reply: z.ZodType;
}

/** The app that is being built. */
export interface RouteTable {
  readonly app: OpenAPIHono<AdminEnv>;
  readonly audit: AuditLog;
  readonly rows: RouteRow[];
  /** The OpenAPI document, once all routes are there. */
  document(): Readonly<Record<string, unknown>>;
}

/**
 * Adds a route that only tokens with its right may use, with schemas that both check what it is given and describe it.
 *
 * The reply is not checked against its schema at run time; the tests do.
 */
export function addRoute<
  Reply extends z.ZodType,
  Params extends Shape | undefined = undefined,
  Query extends Shape | undefined = undefined,
  Body extends Shape | undefined = undefined,
>(
  table: RouteTable,
  spec: RouteSpec<Reply, Params, Query, Body>,
  handle: (call: Call<Params, Query, Body>) => Promise<z.input<Reply> | Response> | z.input<Reply> | Response,
): void {
  const { app, rows } = table;
  const { method, operation, right, reply } = spec;
  const audited = spec.audit ?? method !== 'get';
  const paths = [spec.path, ...(spec.also ?? [])];
  for (const [index, path] of paths.entries()) {
    const operationId = index === 0 ? operation : `${operation}${index + 1}`;
    rows.push({ method, path, operation: operationId, right, reply });
    const route = createRoute({
      method,
      path,
      operationId,
      summary: spec.summary,
      tags: [spec.tag],
      security: [{ bearer: [] }],
      'x-tierkit-right': right,
      request: {
        ...(spec.params === undefined ? {} : { params: spec.params }),
        // A name that is misspelt is refused: ignored, it would widen what is ended.
        query: (spec.query ?? z.object({})).strict(),
        ...(spec.body === undefined
          ? {}
          : { body: { required: true, content: { 'application/json': { schema: spec.body.strict() } } } }),
      },
      responses: {
        200: { description: 'Done', content: { 'application/json': { schema: reply } } },
        default: { description: 'Not done', content: { 'application/problem+json': { schema: Problem } } },
      },
      middleware: [
        async (c: Pick<RouteContext, 'get' | 'set'>, next: () => Promise<void>): Promise<void> => {
          c.set('audited', { operation, parameters: {} });
          requireRight(c.get('actor'), right);
          if (!audited) c.set('audited', undefined);
          await next();
        },
      ] as const,
    });
    app.openapi(
      route as never,
      (async (c: RouteContext) => {
        const valid = (part: 'param' | 'query' | 'json'): never => c.req.valid(part) as never;
        const params = spec.params === undefined ? {} : named(valid('param'));
        const query = spec.query === undefined ? {} : (valid('query') as object);
        const body = spec.body === undefined ? {} : (valid('json') as object);
        const noted: Audited = { operation, parameters: { ...params, ...query, ...body } };
        if (audited) c.set('audited', noted);
        const result = await handle({
          params: params as Parsed<Params>,
          query: query as Parsed<Query>,
          body: body as Parsed<Body>,
          actor: c.get('actor'),
          request: c.req.raw,
          note: (outcome) => void (noted.outcome = outcome),
        });
        return result instanceof Response ? result : c.json(result, 200);
      }) as never,
    );
  }
}

function named(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, segment]) => [name, nameOfSegment(segment)]));
}

/** What of Hono's context is used, whatever the route's types. */
interface RouteContext {
  readonly req: { valid(part: 'param' | 'query' | 'json'): unknown; readonly raw: Request };
  get(key: 'actor'): Actor;
  set(key: 'audited', audited: Audited | undefined): void;
  json(body: unknown, status: number): Response;
}

/** @throws {TierkitError} `ERR_ADMIN_FORBIDDEN` */
function requireRight(actor: Actor, right: Right | 'any'): void {
  if (right === 'any' || actor.rights.has(right)) return;
  throw adminError('ERR_ADMIN_FORBIDDEN', `this needs the right "${right}"`);
}
