import { createHash } from "node:crypto";
import type { Clock, Hash, Random, Sql, SqlRow, SqlValue } from "../kernel/ports.ts";

/** The ports that a Durable Object lends the kernel. */

export const systemClock: Clock = { now: () => Date.now() };

export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

/** `node:crypto`, because a hash stands inside a transaction and WebCrypto is asynchronous. */
export const systemHash: Hash = { sha256: (data) => createHash("sha256").update(data).digest("hex") };

/** The object's SQLite. */
export function sqlOf(storage: DurableObjectStorage): Sql {
  const rows = (statement: string, parameters: SqlValue[]) => storage.sql.exec(statement, ...parameters);
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      rows(statement, parameters).toArray() as Row[],
    first: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      rows(statement, parameters).toArray()[0] as Row | undefined,
    run: (statement, ...parameters) => {
      const cursor = rows(statement, parameters);
      cursor.toArray();
      return cursor.rowsWritten;
    },
    transaction: (work) => storage.transactionSync(work),
  };
}
