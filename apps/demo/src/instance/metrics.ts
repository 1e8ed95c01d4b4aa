import type { createTierkit } from 'tierkit';
import { MetricsTable, type FileMetrics, type MetricsRow } from '../metrics/metrics-table.ts';
import type { WrittenMetrics, MetricsInPostgres } from './operations.ts';

type Kit = ReturnType<typeof createTierkit>;
type Queue = ReturnType<Kit['writeBehind']>;

/** Metrics of files: answered by the cache at once, and written to Postgres behind it, by the instance that has the table. */
export class Metrics {
  readonly #kit: Kit;
  readonly #queue: Queue;
  readonly #table: MetricsTable | undefined;

  static async open(kit: Kit, hasTable: boolean): Promise<Metrics> {
    return new Metrics(kit, hasTable ? await MetricsTable.open(process.env['DATABASE_URL']) : undefined);
  }

  private constructor(kit: Kit, table: MetricsTable | undefined) {
    this.#kit = kit;
    this.#table = table;
    this.#queue = kit.writeBehind<FileMetrics>('metrics', {
      worker: table !== undefined,
      async flush(batch) {
        const rows = batch.map(({ scope = '', key, version, value }): MetricsRow => {
          return { project: scope, path: pathOf(key), version, metrics: value };
        });
        await table?.take(rows);
      },
    });
  }

  /** @returns the version under which Postgres gets them, and how long that took */
  async write(project: string, path: string, metrics: FileMetrics): Promise<WrittenMetrics> {
    const started = performance.now();
    const version = await this.#kit.project(project).writeBehind(['metrics', path], metrics, this.#queue);
    return { path, version, ms: performance.now() - started };
  }

  /** What readers get, whether or not Postgres has it by now. */
  async read(project: string, path: string): Promise<FileMetrics | undefined> {
    return this.#kit.project(project).get<FileMetrics>(['metrics', path]);
  }

  /** What Postgres has when nothing is pending any more. */
  async inPostgres(project: string): Promise<MetricsInPostgres> {
    const drained = await this.#queue.drain('10s');
    const { deadLetters } = await this.#queue.status();
    const table = this.#table;
    if (table === undefined) throw new Error('the table is at the other instance');
    const versions = await table.versions(project);
    return { versions, drained, deadLetters, batches: table.batches, place: table.place };
  }

  async close(): Promise<void> {
    await this.#table?.close();
  }
}

/** A key comes as text unless a part of it has a colon. */
function pathOf(key: string | readonly (string | number)[]): string {
  return typeof key === 'string' ? key.slice('metrics:'.length) : String(key[1]);
}
