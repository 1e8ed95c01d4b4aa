import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { createTierkit } from 'tierkit';
import type { Analyser } from '../analyser/analyser.ts';
import type { FileReport } from '../analyser/report.ts';
import { ANALYSES } from './announcements.ts';
import type { Answer } from './answer.ts';
import type { Licence, LicenceRegistry } from './licence-registry.ts';
import type { Counters } from './operations.ts';
import type { WorkspaceFiles } from './workspace-files.ts';

/** The newest report of a file, with the hash of the text that it is about. */
export interface Latest {
  readonly hash: string;
  readonly report: FileReport;
}

export interface Snippet {
  readonly code: string;
  readonly language: string;
}

type Kit = ReturnType<typeof createTierkit>;
type Scope = ReturnType<Kit['project']>;
type Key = Parameters<Scope['peek']>[0];

/** The code-analysis service: what is asked of it, and which tier keeps what. The only file that uses the cache. */
export class AnalysisService {
  readonly #kit: Kit;
  readonly #files: WorkspaceFiles;
  readonly #analyser: Analyser;
  readonly #registry: LicenceRegistry;

  constructor(kit: Kit, files: WorkspaceFiles, analyser: Analyser, registry: LicenceRegistry) {
    this.#kit = kit;
    this.#files = files;
    this.#analyser = analyser;
    this.#registry = registry;
  }

  /** What an analysis costs without a cache, in milliseconds. Reading the file is not part of it. */
  async loadTime(path: string): Promise<number> {
    const text = await this.#files.read(path);
    const started = performance.now();
    await this.#analyser.analyse(path, text);
    return performance.now() - started;
  }

  /** How many bytes a file has. */
  async size(path: string): Promise<number> {
    return Buffer.byteLength(await this.#files.read(path));
  }

  /** Project tier, by content: the same text is analysed once, whatever the file is called. */
  async analyse(project: string, path: string): Promise<Answer<FileReport>> {
    const text = await this.#files.read(path);
    return ask(
      this.#kit.project(project),
      () => `analysis:${contentHash(path, text)}`,
      () => this.#analyser.analyse(path, text),
      { tags: [ANALYSES] },
    );
  }

  /** Project tier, by path: the newest report without reading the file. Kept right by `save`. */
  report(project: string, path: string): Promise<Answer<Latest>> {
    return ask(
      this.#kit.project(project),
      () => ['latest', path],
      () => this.#analyseNow(path),
    );
  }

  /** The report that this process holds, without asking Redis. */
  heldReport(project: string, path: string): Latest | undefined {
    return this.#kit.project(project).peek<Latest>(['latest', path]);
  }

  /** A file was edited: analyses it and replaces its newest report everywhere. `stored` says whether Redis took it. */
  async save(project: string, path: string): Promise<{ latest: Latest; stored: boolean; storeMs: number }> {
    const latest = await this.#analyseNow(path);
    const started = performance.now();
    const stored = await this.#kit.project(project).set(['latest', path], latest);
    return { latest, stored, storeMs: performance.now() - started };
  }

  /** Session tier: what stands in somebody's editor. */
  saveSnippet(session: string, snippet: Snippet): Promise<boolean> {
    return this.#kit.session(session).set('code_snippet', snippet);
  }

  snippet(session: string): Promise<Snippet | undefined> {
    return this.#kit.session(session).get<Snippet>('code_snippet');
  }

  /** Global tier: the same for every project. */
  licence(name: string, importer: string): Promise<Answer<Licence>> {
    return ask(
      this.#kit.global,
      () => ['licence', name],
      () => this.#registry.lookUp(name, importer),
    );
  }

  /** Whether Redis answers, and the invalidations of others arrive. */
  async connected(): Promise<boolean> {
    return (await this.#kit.health()).status === 'up';
  }

  /** What the kit itself counts. */
  counters(): Counters {
    const { l1Hits = 0, l2Hits = 0, loads = 0 } = this.#kit.stats().tiers['project'] ?? {};
    return { l1Hits, l2Hits, loads };
  }

  async #analyseNow(path: string): Promise<Latest> {
    const text = await this.#files.read(path);
    return { hash: contentHash(path, text), report: await this.#analyser.analyse(path, text) };
  }
}

async function ask<T>(
  scope: Scope,
  key: () => Key,
  load: () => Promise<T>,
  options: { readonly tags?: readonly string[] } = {},
): Promise<Answer<T>> {
  let loaded = false;
  const started = performance.now();
  const name = key();
  const held = scope.peek(name) !== undefined;
  const value = (await scope.getOrSet(
    name,
    () => {
      loaded = true;
      return load();
    },
    options,
  )) as T;
  const ms = performance.now() - started;
  if (loaded) return { value, by: 'load', ms };
  return { value, by: held ? 'L1' : 'L2', ms };
}

/** The parser goes by the extension, so it is part of what is analysed. */
function contentHash(path: string, text: string): string {
  return createHash('sha256')
    .update(`${extname(path)}\0${text}`)
    .digest('base64url');
}
