import { z } from '@hono/zod-openapi';
import type { LiveFeed, LiveStream } from '../live-feed.ts';
import { addRoute, type RouteTable } from '../route.ts';

/** Server-sent events; a browser reads them with `fetch`, since `EventSource` sends no bearer token. */
export function liveRoutes(table: RouteTable, live: LiveFeed): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/live',
      operation: 'watch',
      summary: 'Server-sent events: `stats` each second, `change` as it happens (for `names`), `dropped`',
      tag: 'live',
      right: 'stats',
      reply: z.unknown().openapi({ description: 'A stream of text/event-stream.' }),
    },
    ({ actor, request: { method } }) => {
      const headers = { 'content-type': 'text/event-stream' };
      // Nobody would read the body, or end it.
      if (method === 'HEAD') return new Response(null, { headers });
      return new Response(bodyOf(live.open(actor.rights.has('names'))), { headers });
    },
  );
}

function bodyOf(stream: LiveStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    // Asked only when the reader has taken what came before, so that events wait in the bounded queue alone.
    async pull(controller) {
      const events = await stream.next();
      if (events === undefined) return controller.close();
      const text = events.map(({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
      controller.enqueue(encoder.encode(text));
    },
    cancel: () => stream.end(),
  });
}
