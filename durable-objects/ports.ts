import { hash } from "node:crypto";
import type { Clock, Fetch, Hash, Random, Sql, SqlRow, SqlValue } from "../kernel/ports.ts";

/** The ports that a Durable Object lends the kernel. */

export const systemClock: Clock = { now: () => Date.now() };

export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

/**
 * `node:crypto`, because a hash stands inside a transaction and WebCrypto is asynchronous; in one call, which takes half the time
 * of a hash object.
 */
export const systemHash: Hash = { sha256: (data) => hash("sha256", data) };

/** workerd sends a stream in chunks, whatever its headers say, unless the stream itself knows its length. */
export const systemFetch: Fetch = (input, init) => {
  const bytes = Number(new Headers(init?.headers).get("content-length") ?? Number.NaN);
  if (!(init?.body instanceof ReadableStream) || !Number.isSafeInteger(bytes)) return fetch(input, init);
  return fetch(input, { ...init, body: init.body.pipeThrough(new FixedLengthStream(bytes)) });
};

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
