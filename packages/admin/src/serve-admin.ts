import { getRequestListener } from '@hono/node-server';
import { createServer, STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Admin } from './create-admin.ts';
import { problem, problemResponse } from './problem.ts';

export interface ServeOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** @default '127.0.0.1', which other machines do not reach */
  readonly hostname?: string;
}

export interface AdminServer {
  readonly port: number;
  /** Ends the server, its connections and the admin's streams. */
  close(): Promise<void>;
}

/** A listener for `http.createServer`, Express's `use` and whatever takes one; it answers the path it is given. */
export function adminListener({ app }: Admin): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(app.fetch, {
    errorHandler: () => problemResponse(problem(400, 'ERR_ADMIN_INPUT', 'the request has no address that can be read')),
  });
  return async (request, response) => {
    const folder = mountWithoutSlash(request);
    if (folder === undefined) return listener(request, response);
    response.writeHead(308, { location: `${folder}/` }).end();
  };
}

/** Of a router that has cut off where it mounts the admin: the last segment of that, if it is what was asked for. */
function mountWithoutSlash(request: IncomingMessage & { readonly originalUrl?: string }): string | undefined {
  if (request.url !== '/' || request.originalUrl === undefined) return undefined;
  return /([^/]+)$/.exec(request.originalUrl.split('?', 1)[0] ?? '')?.[1];
}

/** Serves the API by itself. @throws the error of `listen`, such as EADDRINUSE */
export async function serveAdmin(admin: Admin, options: ServeOptions): Promise<AdminServer> {
  const { port, hostname = '127.0.0.1' } = options;
  const listener = adminListener(admin);
  const server = createServer((request, response) => void listener(request, response));
  server.on('clientError', refuse);
  server.listen(port, hostname);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (server.listening) resolve();
    else server.once('listening', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      admin.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers what is no HTTP, or more of it than a request may have, which reaches no listener. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const body = JSON.stringify(problem(status, 'ERR_ADMIN_INPUT'));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${body.length}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
