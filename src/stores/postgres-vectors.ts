import { type Clock, systemClock } from '../core/clock.ts';
import { GatewayError, invalidOptions } from '../core/errors.ts';
import { normalised, similarityOf, type VectorIndex } from '../core/vector-index.ts';

/** The slice of a Postgres client that is used: a `pg` Pool or Client, or PGlite. */
export interface PostgresVectorClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface PostgresVectorIndexOptions {
  readonly client: PostgresVectorClient;
  /** Begin of the table's name: letters, digits and underscores. @defaultValue 'postern_' */
  readonly prefix?: string;
  /** Creates the extension and the table if they are missing, at the first use. @defaultValue true */
  readonly create?: boolean;
  /** The vectors written last that are kept, over all buckets. @defaultValue 1_000_000 */
  readonly entriesMax?: number;
  /** Longest wait for the database, in milliseconds; then the call goes on without it. @defaultValue 250 */
  readonly timeoutMs?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
}

/**
 * Keeps the vectors of a semantic cache in Postgres with pgvector, for many processes and machines: an exact scan of
 * one bucket.
 *
 * @example
 * const index = postgresVectorIndex({ client: new pg.Pool({ connectionString }) });
 * semanticCache({ embed, index, store: redisStore({ client }) })
 */
export function postgresVectorIndex(options: PostgresVectorIndexOptions): VectorIndex {
  const { client, prefix = 'postern_', create = true, entriesMax = 1_000_000, timeoutMs = 250 } = options;
  if (typeof client?.query !== 'function') throw invalidOptions('client', 'must have query(text, values).');
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(prefix))
    throw invalidOptions('prefix', 'must be lower-case letters, digits and _.');
  for (const [name, value] of Object.entries({ entriesMax, timeoutMs })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number above 0.');
  }
  const table = `${prefix}vectors`;
  const sql = statements(table);
  let ready: Promise<unknown> | undefined;
  const query = async (text: string, values: unknown[]): Promise<readonly unknown[]> => {
    ready ??= create ? createTable(client, table) : Promise.resolve();
    // A failed creation is tried again at the next use.
    await ready.catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return (await client.query(text, values)).rows;
  };
  const { clock = systemClock } = options;
  const ask = (text: string, values: unknown[]): Promise<readonly unknown[]> =>
    within(clock, timeoutMs, query(text, values));
  return {
    name: 'postgres',
    async add(bucket, id, vector) {
      const unit = normalised(vector);
      if (unit !== undefined) await ask(sql.add, [bucket, id, unit.length, literal(unit), entriesMax]);
    },
    async search(bucket, vector, { limit, threshold }) {
      const unit = normalised(vector);
      if (unit === undefined) return [];
      const rows = (await ask(sql.search, [literal(unit), bucket, unit.length, limit])) as readonly {
        readonly id: string;
        readonly distance: number;
      }[];
      return rows
        .map(({ id, distance }) => ({ id, similarity: similarityOf(1 - Number(distance)) }))
        .filter(({ similarity }) => similarity >= threshold);
    },
    async remove(bucket, id) {
      await ask(sql.remove, [bucket, id]);
    },
    // Whoever asks for this waits for it: it is a promise to a user.
    async clear(bucketPrefix) {
      await query(sql.clear, [bucketPrefix]);
    },
  };
}

/** Sizes of vectors are a column of their own: pgvector refuses to compare two that differ. */
function statements(table: string) {
  return {
    // Every write gets a new number, and what is too far behind it goes. One statement, one round trip.
    add: `WITH added AS (
        INSERT INTO ${table} (bucket, id, dimensions, embedding) VALUES ($1, $2, $3, $4::vector)
        ON CONFLICT (bucket, id) DO UPDATE SET dimensions = EXCLUDED.dimensions, embedding = EXCLUDED.embedding,
          seq = nextval(pg_get_serial_sequence('${table}', 'seq')) RETURNING seq)
      DELETE FROM ${table} WHERE seq <= (SELECT seq FROM added) - $5::bigint AND NOT (bucket = $1 AND id = $2)`,
    search: `SELECT id, embedding <=> $1::vector AS distance FROM ${table}
      WHERE bucket = $2 AND dimensions = $3 ORDER BY distance LIMIT $4`,
    remove: `DELETE FROM ${table} WHERE bucket = $1 AND id = $2`,
    clear: `DELETE FROM ${table} WHERE starts_with(bucket, $1)`,
  } as const;
}

async function createTable(client: PostgresVectorClient, table: string): Promise<void> {
  for (const sql of [
    'CREATE EXTENSION IF NOT EXISTS vector',
    `CREATE TABLE IF NOT EXISTS ${table} (
      seq BIGSERIAL PRIMARY KEY, bucket TEXT NOT NULL, id TEXT NOT NULL, dimensions INTEGER NOT NULL,
      embedding vector NOT NULL, UNIQUE (bucket, id))`,
  ]) {
    // One after the other: the table needs the extension.
    await client.query(sql);
  }
}

function literal(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}

function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(
      timeoutMs,
      () => {
        const facts = { fault: 'gateway', fallbackable: false, stage: 'vector index' } as const;
        reject(new GatewayError('unavailable', `The vector index took longer than ${timeoutMs} ms.`, facts));
      },
      { holds: true },
    );
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
