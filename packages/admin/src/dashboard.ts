import type { OpenAPIHono } from '@hono/zod-openapi';
import { routePath } from 'hono/route';
import { readdirSync, readFileSync, type Dirent } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { problem, problemResponse } from './problem.ts';
import type { AdminEnv } from './route.ts';

/** Made by vite from `dashboard/`; the same path from the sources and from what is built of them. */
const FOLDER = fileURLToPath(new URL('../dist/public/', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Serves the dashboard's files to anybody: they hold no data, and the page asks for a token before it asks for some.
 * Only files that were there at the start are served, each under its own name.
 */
export function dashboardRoutes(app: OpenAPIHono<AdminEnv>): void {
  const files = filesBelow(FOLDER);
  const page = files.get('index.html');
  // Not '/': whether that is asked for with its slash or without, a router that mounts this matches one of the two.
  app.get('*', async (c, next) => {
    const mount = routePath(c).slice(0, -1);
    // Addresses in the page are relative, so they need the slash.
    if (`${c.req.path}/` === mount) return c.redirect(`${c.req.path.slice(c.req.path.lastIndexOf('/') + 1)}/`, 308);
    if (c.req.path !== mount) return next();
    if (page === undefined) {
      return problemResponse(problem(404, 'ERR_ADMIN_NOT_FOUND', 'the dashboard is not built: npm run build'));
    }
    return c.body(page.body, 200, { 'content-type': page.type, 'cache-control': 'no-cache' });
  });
  for (const [name, { body, type }] of files) {
    if (name === 'index.html') continue;
    // Those below `assets/` have a digest of what is in them in their names.
    const forever = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    app.get(`/${name}`, (c) => c.body(body, 200, { 'content-type': type, 'cache-control': forever }));
  }
}

interface ServedFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

function filesBelow(folder: string): Map<string, ServedFile> {
  const files = new Map<string, ServedFile>();
  for (const entry of entriesOf(folder)) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    files.set(name, { body: new Uint8Array(readFileSync(path)), type });
  }
  return files;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}
