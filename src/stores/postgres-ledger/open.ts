import { GatewayError } from '../../core/errors.ts';
import type { Query } from './pages.ts';
import { createTables, type PostgresClient, type RawRecord } from './sql.ts';

/** Asks the client, making the tables before the first question; refuses once closed. */
export function openClient(client: PostgresClient, prefix: string, create: boolean): { query: Query; close(): void } {
  let ready: Promise<void> | undefined;
  let closed = false;
  return {
    async query(sql, values) {
      if (closed) throw new GatewayError('closed', 'The ledger was closed.');
      ready ??= create ? createTables(client, prefix) : Promise.resolve();
      // A failed creation is tried again at the next use.
      await ready.catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      return (await client.query(sql, values)).rows as readonly RawRecord[];
    },
    close() {
      closed = true;
    },
  };
}
