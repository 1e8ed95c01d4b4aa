import type { PGlite } from '@electric-sql/pglite';
import { emptyPostgres } from '../../apps/demo/src/metrics/empty-postgres.ts';
import type { Row } from './protocol.ts';

/** A table in a Postgres within this process, which takes a row only if its version is higher, and remembers each change. */
export class PostgresSink {
  readonly #db: PGlite;
  /** Rows that were given although there was a newer one: repeated, or from a worker that was overtaken. */
  older = 0;

  private constructor(db: PGlite) {
    this.#db = db;
  }

  static async open(): Promise<PostgresSink> {
    const db = await emptyPostgres();
    await db.exec(`
      CREATE TABLE entries (id text PRIMARY KEY, version bigint NOT NULL, value text);
      CREATE TABLE changes (at serial PRIMARY KEY, id text NOT NULL, version bigint NOT NULL);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO changes (id, version) VALUES (NEW.id, NEW.version); RETURN NEW; END';
      CREATE TRIGGER noted AFTER INSERT OR UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION note();
    `);
    return new PostgresSink(db);
  }

  async take(rows: readonly Row[]): Promise<void> {
    const { affectedRows = 0 } = await this.#db.query(
      `INSERT INTO entries (id, version, value)
       SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
       ON CONFLICT (id) DO UPDATE SET version = excluded.version, value = excluded.value
       WHERE entries.version < excluded.version`,
      [rows.map(({ id }) => id), rows.map(({ version }) => version), rows.map(({ value }) => value)],
    );
    this.older += rows.length - affectedRows;
  }

  async rows(): Promise<Map<string, Row>> {
    const { rows } = await this.#db.query<{ id: string; version: string; value: string | null }>(
      'SELECT * FROM entries',
    );
    return new Map(rows.map(({ id, version, value }) => [id, { id, version: Number(version), value }]));
  }

  /** Changes of a row to a version that is not above the one before. */
  async backwards(): Promise<number> {
    const { rows } = await this.#db.query<{ count: string }>(`
      SELECT count(*) FROM (SELECT version, lag(version) OVER (PARTITION BY id ORDER BY at) AS before FROM changes) AS steps
      WHERE version <= before`);
    return Number(rows[0]?.count);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
