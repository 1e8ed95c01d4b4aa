import { serve } from '@hono/node-server';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Chrome } from './layout.ts';
import { webApp, type WebParts } from './web-app.ts';

export interface WebServer {
  readonly url: string;
  /** Tells where the other instance serves the same. */
  link(other: Chrome['other']): void;
  close(): Promise<void>;
}

/** Serves the page and the dashboard of one instance at a free port of this machine, which no other one reaches. */
export async function startWebServer(instance: string, parts: Omit<WebParts, 'chrome'>): Promise<WebServer> {
  let other: Chrome['other'];
  const { app, admin } = webApp({ ...parts, chrome: () => ({ instance, other }) });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    link: (given) => (other = given),
    async close() {
      admin.close();
      const closed = once(server, 'close');
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}
