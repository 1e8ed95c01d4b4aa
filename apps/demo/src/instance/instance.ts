import { createLiveTelemetry, type LiveTelemetry } from '@tierkit/admin';
import { prometheus } from '@tierkit/telemetry/prometheus';
import { Registry } from 'prom-client';
import { createTierkit, type TierkitOptions } from 'tierkit';
import { Analyser } from '../analyser/analyser.ts';
import { Allowances } from './allowances.ts';
import { Announcements } from './announcements.ts';
import type { Answer } from './answer.ts';
import { monotonicMs, watchForChange, type SeenChange } from './change-watch.ts';
import { LicenceRegistry } from './licence-registry.ts';
import { Metrics } from './metrics.ts';
import type { InstanceOptions, OperationName, Operations, Reading, WrittenMetrics } from './operations.ts';
import { RequestLimits } from './request-limits.ts';
import { ProjectReports } from './project-reports.ts';
import { AnalysisService } from './service.ts';
import { survey } from './survey.ts';
import { Users } from './users.ts';
import { WorkspaceFiles } from './workspace-files.ts';
import { startWebServer, type WebServer } from '../web/web-server.ts';

type Handlers = {
  readonly [N in OperationName]: (request: Operations[N]['request']) => Promise<Operations[N]['reply']>;
};

/** On a machine that is busy with other things as well, a demo is to take longer, and not to show an outage. */
function patient(redis: string): TierkitOptions['redis'] {
  return redis === 'memory' ? redis : { url: redis, commandTimeout: '3s', socketTimeout: '6s' };
}

/** One instance of the service: a cache of its own, and an answer to every operation. */
export class Instance {
  readonly handlers: Omit<Handlers, 'start' | 'guard'>;

  static async start(options: InstanceOptions): Promise<Instance> {
    const { redis, prefix, name } = options;
    const telemetry = createLiveTelemetry();
    const figures = new Registry();
    const measured = [telemetry, prometheus({ registry: figures })];
    const kit = createTierkit({ redis: patient(redis), prefix, locks: { instance: name }, telemetry: measured });
    await kit.ready('20s');
    return new Instance(options, kit, await Metrics.open(kit, options.hasTable), telemetry, figures);
  }

  private constructor(
    { root, edits, redis, prefix, name: own }: InstanceOptions,
    kit: ReturnType<typeof createTierkit>,
    metrics: Metrics,
    telemetry: LiveTelemetry,
    figures: Registry,
  ) {
    const analyser = new Analyser();
    const registry = new LicenceRegistry(root);
    const files = new WorkspaceFiles(root, edits);
    const service = new AnalysisService(kit, files, analyser, registry);
    let web: WebServer | undefined;
    const users = new Users(kit);
    const announcements = new Announcements(kit, users, own);
    const allowances = new Allowances(kit, (...warning) => announcements.quotaWarning(...warning));
    const limits = new RequestLimits(kit);
    const reports = new ProjectReports(kit.locks, redis, prefix);
    let watched: Promise<SeenChange> | undefined;

    this.handlers = {
      loadTimes: ({ paths }) => inTurn(paths, (path) => service.loadTime(path)),
      analyse: ({ project, paths }) => inTurn(paths, async (path) => reading(await service.analyse(project, path))),
      reports: ({ project, paths }) =>
        inTurn(paths, async (path) => {
          const answer = await service.report(project, path);
          return { ...reading(answer), hash: answer.value.hash };
        }),
      survey: ({ project, paths }) => survey(service, root, project, paths),
      save: async ({ project, path }) => {
        const { latest, stored, storeMs } = await service.save(project, path);
        return { hash: latest.hash, stored, storeMs, storedAtMs: monotonicMs() };
      },
      watch: async ({ project, path, oldHash, timeoutMs }) => {
        const holds = service.heldReport(project, path)?.hash === oldHash;
        watched = watchForChange(service, project, path, oldHash, timeoutMs);
        return holds;
      },
      watched: async () => {
        if (watched === undefined) throw new Error('nothing is watched');
        return watched;
      },
      saveSnippet: ({ session, snippet }) => service.saveSnippet(session, snippet),
      snippet: ({ session }) => service.snippet(session),
      logout: ({ session }) => announcements.sessionEnded(session),
      licence: async ({ name, importer, callers }) => {
        const before = registry.calls;
        const answers = await Promise.all(Array.from({ length: callers }, () => service.licence(name, importer)));
        const [first] = answers;
        if (first === undefined) throw new Error('nobody asked');
        return { readings: answers.map(reading), licence: first.value, registryCalls: registry.calls - before };
      },
      chargedAnalyses: async ({ user, requests }) => {
        const counts: Record<string, number> = {};
        for (const { request, path } of requests) {
          const bytes = await service.size(path);
          const charge = (): Promise<string> => allowances.charge(user, request, bytes);
          for (const outcome of await Promise.all([charge(), charge()])) {
            counts[outcome] = (counts[outcome] ?? 0) + 1;
            if (outcome === 'counted') await service.analyse(user, path);
          }
        }
        return { counts, warnings: allowances.warnings.splice(0) };
      },
      account: ({ user }) => allowances.account(user),
      user: async ({ user }) => {
        const before = users.questions;
        await users.find(user);
        return users.questions > before;
      },
      projectChanged: ({ project }) => announcements.projectChanged(project),
      userChanged: ({ user }) => announcements.userChanged(user),
      versionPromoted: ({ version }) => announcements.versionPromoted(version),
      healthCheck: () => announcements.healthCheck(),
      listen: () => announcements.listen(),
      prometheus: async ({ metric }) => (await figures.metrics()).split('\n').filter((line) => line.startsWith(metric)),
      hear: ({ type, about, count }) => announcements.hear(type, about, count),
      burst: ({ user, requests }) => limits.burst(user, requests),
      provider: ({ name, requests }) => limits.provider(name, requests),
      makeReports: ({ project, paths, callers }) =>
        Promise.all(
          Array.from({ length: callers }, () => reports.make(project, () => survey(service, root, project, paths))),
        ),
      beginReport: ({ project }) => reports.begin(project),
      finishReport: ({ project }) => reports.finish(project),
      lookAtLock: ({ project }) => reports.look(project),
      takeLockAway: ({ project }) => reports.takeAway(project),
      writeMetrics: async ({ project, paths, rounds }) => {
        const found = await Promise.all(paths.map(async (path) => (await service.analyse(project, path)).value));
        const written: WrittenMetrics[] = [];
        for (let measured = 1; measured <= rounds; measured++) {
          const writes = paths.map((path, index) => {
            const { lines = 0, complexity = 0 } = found[index] ?? {};
            return metrics.write(project, path, { lines, complexity, measured });
          });
          written.push(...(await Promise.all(writes)));
        }
        return written;
      },
      readMetrics: async ({ project, paths, rounds }) => {
        const found = await Promise.all(paths.map((path) => metrics.read(project, path)));
        return found.filter((one) => one?.measured === rounds).length;
      },
      metricsInPostgres: ({ project }) => metrics.inPostgres(project),
      connected: () => service.connected(),
      counters: async () => service.counters(),
      serve: async ({ name, token }) => {
        web ??= await startWebServer(name, { kit, service, files, telemetry, token });
        return { url: web.url };
      },
      link: async (other) => web?.link(other),
      close: async () => {
        await web?.close();
        analyser[Symbol.dispose]();
        reports.close();
        await kit.close();
        await metrics.close();
      },
    };
  }
}

function reading({ by, ms }: Answer<unknown>): Reading {
  return { by, ms };
}

async function inTurn<T>(paths: readonly string[], ask: (path: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const path of paths) answers.push(await ask(path));
  return answers;
}
