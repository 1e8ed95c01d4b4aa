import { Pool } from 'pg';
import { emptyPostgres } from './empty-postgres.ts';

/** What the demo needs of a Postgres. */
export interface Postgres {
  /** Where it is, without a password. */
  readonly place: string;
  query<Row>(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Row[]; readonly changed: number }>;
  close(): Promise<void>;
}

/** The Postgres of DATABASE_URL, or one within this process, which forgets all at the end. */
export async function openPostgres(url: string | undefined): Promise<Postgres> {
  if (url === undefined || url === '') {
    const db = await emptyPostgres();
    return {
      place: 'PGlite, within instance A',
      async query<Row>(text: string, values: unknown[] = []) {
        const { rows, affectedRows = 0 } = await db.query<Row>(text, values);
        return { rows, changed: affectedRows };
      },
      close: () => db.close(),
    };
  }
  const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 5_000 });
  // A connection that is lost while nobody uses it is replaced by the next query.
  pool.on('error', () => undefined);
  return {
    place: `the Postgres at ${new URL(url).host} (DATABASE_URL)`,
    async query<Row>(text: string, values: unknown[] = []) {
      const { rows, rowCount } = await pool.query(text, values);
      return { rows: rows as Row[], changed: rowCount ?? 0 };
    },
    close: () => pool.end(),
  };
}
