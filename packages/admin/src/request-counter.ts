import { EventCounter, type MetricDefinition } from '@tierkit/core';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';

const REQUESTS: MetricDefinition = {
  name: 'tierkit.admin.requests',
  kind: 'counter',
  unit: '{request}',
  description: 'Requests to the management API by route and status',
  attributes: ['route', 'status'],
};

/** Counts requests by the pattern of the route that answered, which is none without a token or a known path. */
export function countRequests(): { readonly requests: EventCounter; readonly counting: MiddlewareHandler } {
  const requests = new EventCounter(REQUESTS);
  const counting: MiddlewareHandler = async (c, next) => {
    await next();
    const path = routePath(c);
    requests.count(path.endsWith('*') ? '' : path, String(c.res.status));
  };
  return { requests, counting };
}
