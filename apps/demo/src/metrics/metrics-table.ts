import { randomBytes } from 'node:crypto';
import { openPostgres, type Postgres } from './postgres.ts';

/** What is kept of a file. */
export interface FileMetrics {
  readonly lines: number;
  readonly complexity: number;
  /** How often the file was measured, as the instance counts that wrote it. */
  readonly measured: number;
}

/** A write as the queue hands it over; without metrics the file is gone. */
export interface MetricsRow {
  readonly project: string;
  readonly path: string;
  readonly version: number;
  readonly metrics: FileMetrics | undefined;
}

/** The metrics of files in Postgres, each with the version of its write: nothing older is taken. */
export class MetricsTable {
  readonly #postgres: Postgres;
  readonly #name = `tierkit_demo_metrics_${randomBytes(4).toString('hex')}`;
  batches = 0;

  private constructor(postgres: Postgres) {
    this.#postgres = postgres;
  }

  static async open(url: string | undefined): Promise<MetricsTable> {
    const table = new MetricsTable(await openPostgres(url));
    await table.#postgres.query(
      `CREATE TABLE ${table.#name} (project text, path text, version bigint NOT NULL, metrics jsonb, PRIMARY KEY (project, path))`,
    );
    return table;
  }

  get place(): string {
    return this.#postgres.place;
  }

  async take(rows: readonly MetricsRow[]): Promise<void> {
    this.batches++;
    const column = <T>(pick: (row: MetricsRow) => T): T[] => rows.map(pick);
    await this.#postgres.query(
      `INSERT INTO ${this.#name} AS t (project, path, version, metrics)
       SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[])
       ON CONFLICT (project, path) DO UPDATE SET version = excluded.version, metrics = excluded.metrics
       WHERE t.version < excluded.version`,
      [
        column(({ project }) => project),
        column(({ path }) => path),
        column(({ version }) => version),
        column(({ metrics }) => (metrics === undefined ? null : JSON.stringify(metrics))),
      ],
    );
  }

  /** The version that each file has. */
  async versions(project: string): Promise<Readonly<Record<string, number>>> {
    const { rows } = await this.#postgres.query<{ path: string; version: string }>(
      `SELECT path, version FROM ${this.#name} WHERE project = $1 AND metrics IS NOT NULL`,
      [project],
    );
    return Object.fromEntries(rows.map(({ path, version }) => [path, Number(version)]));
  }

  async close(): Promise<void> {
    await this.#postgres.query(`DROP TABLE ${this.#name}`).catch(() => undefined);
    await this.#postgres.close();
  }
}
