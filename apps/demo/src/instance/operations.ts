import type { Account } from './allowances.ts';
import type { Finding } from '../analyser/report.ts';
import type { Heard } from './announcements.ts';
import type { AnsweredBy } from './answer.ts';
import type { SeenChange } from './change-watch.ts';
import type { Licence } from './licence-registry.ts';
import type { Burst, ProviderStatus } from './request-limits.ts';
import type { LockView, Turn } from './project-reports.ts';
import type { Snippet } from './service.ts';

export interface InstanceOptions {
  readonly name: string;
  readonly root: string;
  /** The folder with edited copies, laid over the root. */
  readonly edits: string;
  readonly redis: string;
  readonly prefix: string;
  /** Whether this instance has the table of metrics. */
  readonly hasTable: boolean;
}

/** One answered read: which tier, how long, and for a report by path the version that was read. */
export interface Reading {
  readonly by: AnsweredBy;
  readonly ms: number;
  readonly hash?: string;
}

export interface Survey {
  readonly files: number;
  readonly lines: number;
  readonly functions: number;
  readonly complexity: number;
  readonly exports: number;
  readonly findings: readonly (Finding & { readonly path: string })[];
  /** Imported packages with one file that imports each. */
  readonly packages: readonly { readonly name: string; readonly importer: string }[];
}

export interface Counters {
  readonly l1Hits: number;
  readonly l2Hits: number;
  readonly loads: number;
}

interface Saved {
  readonly hash: string;
  readonly stored: boolean;
  readonly storeMs: number;
  /** Of the system's monotonic clock. */
  readonly storedAtMs: number;
}

interface Operation<Request, Reply> {
  readonly request: Request;
  readonly reply: Reply;
}

interface OfUser {
  readonly user: string;
}
interface OfProject {
  readonly project: string;
}
interface OfFiles extends OfProject {
  readonly paths: readonly string[];
}
interface OfFile extends OfProject {
  readonly path: string;
}

export interface WrittenMetrics {
  readonly path: string;
  readonly version: number;
  /** Until Redis acknowledged them. */
  readonly ms: number;
}

export interface MetricsInPostgres {
  readonly versions: Readonly<Record<string, number>>;
  readonly drained: boolean;
  readonly deadLetters: number;
  readonly batches: number;
  readonly place: string;
}

/** What the demo asks of an instance, each with its request and its reply. */
export interface Operations {
  start: Operation<InstanceOptions, void>;
  /** If the demo dies without a word, its Redis shall not outlive it. */
  guard: Operation<{ readonly pid: number }, void>;
  loadTimes: Operation<{ readonly paths: readonly string[] }, number[]>;
  analyse: Operation<OfFiles, Reading[]>;
  reports: Operation<OfFiles, Reading[]>;
  survey: Operation<OfFiles, Survey>;
  save: Operation<OfFile, Saved>;
  /** Begins to watch, and replies at once with whether this instance holds the given version. */
  watch: Operation<OfFile & { readonly oldHash: string; readonly timeoutMs: number }, boolean>;
  /** The outcome of the watch that was begun last. */
  watched: Operation<void, SeenChange>;
  saveSnippet: Operation<{ readonly session: string; readonly snippet: Snippet }, boolean>;
  snippet: Operation<{ readonly session: string }, Snippet | undefined>;
  logout: Operation<{ readonly session: string }, boolean>;
  /** As many callers as given ask for the same licence at the same time. */
  licence: Operation<
    { readonly name: string; readonly importer: string; readonly callers: number },
    { readonly readings: Reading[]; readonly licence: Licence; readonly registryCalls: number }
  >;
  /** Charges each request to the user, sends it twice, and analyses what is allowed. */
  chargedAnalyses: Operation<
    OfUser & { readonly requests: readonly { readonly request: string; readonly path: string }[] },
    { readonly counts: Readonly<Record<string, number>>; readonly warnings: readonly string[] }
  >;
  account: Operation<OfUser, Account>;
  /** Looks a user up; replies whether the table had to be asked. */
  user: Operation<OfUser, boolean>;
  /** Ends what is kept of a project, everywhere, and says so; the next one of a user. */
  projectChanged: Operation<OfProject, boolean>;
  userChanged: Operation<OfUser, boolean>;
  versionPromoted: Operation<{ readonly version: string }, void>;
  /** Tells all instances how this one is. */
  healthCheck: Operation<void, void>;
  /** Lines of what Prometheus would read, of one metric or of all that begin so. */
  prometheus: Operation<{ readonly metric: string }, readonly string[]>;
  /** Notes events from now on. */
  listen: Operation<void, void>;
  /** Waits a while for so many events of a channel whose data has a text in it. */
  hear: Operation<{ readonly type: string; readonly about: string; readonly count: number }, readonly Heard[]>;
  /** So many requests of a user at once, and the same again. */
  burst: Operation<{ readonly user: string; readonly requests: number }, Burst>;
  /** How a provider's limit stands, after so many requests more. */
  provider: Operation<{ readonly name: string; readonly requests: number }, ProviderStatus>;
  /** As many callers as given want to analyse the project, of whom one has its turn at a time. */
  makeReports: Operation<OfFiles & { readonly callers: number }, Turn[]>;
  /** Begins an analysis that takes long. */
  beginReport: Operation<OfProject, void>;
  /** Saves what was begun; replies whether the database took it. */
  finishReport: Operation<OfProject, boolean>;
  lookAtLock: Operation<OfProject, LockView>;
  /** Takes the lock away from whoever has it. */
  takeLockAway: Operation<OfProject, void>;
  /** Measures the files so many times, all at once, and writes what it finds behind the cache. */
  writeMetrics: Operation<OfFiles & { readonly rounds: number }, WrittenMetrics[]>;
  /** How many files have the metrics of the last round. */
  readMetrics: Operation<OfFiles & { readonly rounds: number }, number>;
  metricsInPostgres: Operation<OfProject, MetricsInPostgres>;
  /** Whether Redis answers and invalidations arrive. */
  connected: Operation<void, boolean>;
  /** The kit's own counters of the project tier. */
  counters: Operation<void, Counters>;
  /** Serves the demo's page and the dashboard, and replies with where. */
  serve: Operation<{ readonly name: string; readonly token: string }, { readonly url: string }>;
  /** Where the other instance serves them. */
  link: Operation<{ readonly name: string; readonly url: string }, void>;
  close: Operation<void, void>;
}

export type OperationName = keyof Operations;

export interface RequestMessage {
  readonly id: number;
  readonly name: OperationName;
  readonly request: unknown;
}

export type ReplyMessage =
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly error: string };
