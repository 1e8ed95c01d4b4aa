import { createAdmin, type Admin, type LiveTelemetry } from '@tierkit/admin';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { createTierkit } from 'tierkit';
import { unresolvedImports } from '../analyser/unresolved-imports.ts';
import type { AnalysisService } from '../instance/service.ts';
import type { WorkspaceFiles } from '../instance/workspace-files.ts';
import { BOUNDS } from '../source-folder.ts';
import { duration } from '../stage/latencies.ts';
import { page, type Chrome, type Markup } from './layout.ts';
import { fileAddress, filePage, projectList, projectPage } from './project-pages.ts';
import { projectsOf, type Project } from './projects.ts';

export interface WebParts {
  readonly kit: ReturnType<typeof createTierkit>;
  readonly service: AnalysisService;
  readonly files: WorkspaceFiles;
  readonly telemetry: LiveTelemetry;
  /** Of whoever may use the dashboard. */
  readonly token: string;
  /** Known once all instances serve their pages. */
  readonly chrome: () => Chrome;
}

const STYLE = readFileSync(new URL('style.css', import.meta.url), 'utf8');
/** Form encoding may triple what a file takes. */
const MAX_BODY_BYTES = 3 * BOUNDS.fileBytes + 1_024;

export interface WebApp {
  readonly app: Hono;
  readonly admin: Admin;
}

/** The demo's page: a visitor opens a project, edits a file, and sees the findings and the tier that answered. */
export function webApp({ kit, service, files, telemetry, token, chrome }: WebParts): WebApp {
  const tokens = [{ name: 'visitor of the demo', token, role: 'admin', values: true }] as const;
  const admin = createAdmin(kit, { tokens, telemetry });
  const app = new Hono();
  // A name that leads here from elsewhere would let that site's pages read these.
  app.use(async (c, next) => {
    if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(new URL(c.req.url).host)) return c.text('not this host', 421);
    return next();
  });
  app.route('/admin', admin.app);
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'self'"], formAction: ["'self'"], frameAncestors: ["'none'"] },
    }),
  );
  app.use(csrf());
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }));
  app.onError((error, c) =>
    error instanceof HTTPException ? c.text(error.message, error.status) : c.text('the demo failed at this', 500),
  );

  const projectNamed = async (name: string): Promise<Project> => {
    const found = (await projectsOf(files.root)).find((project) => project.name === name);
    if (found === undefined) throw new HTTPException(404, { message: 'no such project' });
    return found;
  };
  const fileOf = async (project: string, path: string | undefined): Promise<string> => {
    const found = (await projectNamed(project)).paths.find((known) => known === path);
    if (found === undefined) throw new HTTPException(404, { message: 'no such file' });
    return found;
  };
  const show = (title: string, address: string, content: Markup): Markup => page(title, chrome(), address, content);

  app.get('/style.css', (c) => c.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
  app.get('/', async (c) => c.html(show('Projects', '/', projectList(await projectsOf(files.root)))));
  app.get('/projects/:project', async (c) => {
    const project = await projectNamed(c.req.param('project'));
    const started = performance.now();
    const read = [];
    for (const path of project.paths) read.push({ path, answer: await service.report(project.name, path) });
    return c.html(show(project.name, c.req.path, projectPage(project, read, performance.now() - started)));
  });
  app.post('/projects/:project/clear', async (c) => {
    const { name } = await projectNamed(c.req.param('project'));
    await kit.project(name).clear();
    return c.redirect(`/projects/${encodeURIComponent(name)}`, 303);
  });
  app.get('/projects/:project/file', async (c) => {
    const project = c.req.param('project');
    const path = await fileOf(project, c.req.query('path'));
    const answer = await service.report(project, path);
    const { report } = answer.value;
    const findings = [...report.findings, ...(await unresolvedImports(join(files.root, path), report))];
    const text = await files.read(path);
    const saved = c.req.query('saved');
    const content = filePage({ project, file: { path, answer }, text, findings, saved });
    return c.html(show(path, fileAddress(project, path), content));
  });
  app.post('/projects/:project/file', async (c) => {
    const project = c.req.param('project');
    const path = await fileOf(project, c.req.query('path'));
    const { text } = await c.req.parseBody();
    if (typeof text !== 'string' || Buffer.byteLength(text) > BOUNDS.fileBytes) {
      throw new HTTPException(413, { message: `a file has ${BOUNDS.fileBytes} bytes at the most` });
    }
    // A form sends its lines with CRLF, whatever they had.
    await files.edit(path, text.replaceAll('\r\n', '\n'));
    const { stored, storeMs } = await service.save(project, path);
    const outcome = stored ? `Saved, and stored in ${duration(storeMs)}.` : 'Saved; Redis did not confirm it.';
    return c.redirect(`${fileAddress(project, path)}&saved=${encodeURIComponent(outcome)}`, 303);
  });
  return { app, admin };
}
