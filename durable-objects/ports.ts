import { createHash, hash } from "node:crypto";
import type { PlatformMeter } from "../kernel/platform/platform-meter.ts";
import type { Clock, Fetch, Hash, Random, Sql, SqlRow, SqlValue } from "../kernel/ports.ts";

/** The ports that a Durable Object lends the kernel. */

export const systemClock: Clock = { now: () => Date.now() };

export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

/**
 * `node:crypto`, because a hash stands inside a transaction and WebCrypto is asynchronous; in one call, which takes half the time
 * of a hash object.
 */
export const systemHash: Hash = {
  sha256: (data) => (Array.isArray(data) ? joined(data) : hash("sha256", data as string | Uint8Array)),
};

function joined(parts: readonly Uint8Array[]): string {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return digest.digest("hex");
}

/** workerd sends a stream in chunks, whatever its headers say, unless the stream itself knows its length. */
export const systemFetch: Fetch = (input, init) => {
  const bytes = Number(new Headers(init?.headers).get("content-length") ?? Number.NaN);
  if (!(init?.body instanceof ReadableStream) || !Number.isSafeInteger(bytes)) return fetch(input, init);
  return fetch(input, { ...init, body: init.body.pipeThrough(new FixedLengthStream(bytes)) });
};

/** The object's SQLite; `meter` counts the rows that the platform bills. */
export function sqlOf(storage: DurableObjectStorage, meter?: Pick<PlatformMeter, "add">): Sql {
  const run = (statement: string, parameters: SqlValue[]) => {
    const cursor = storage.sql.exec(statement, ...parameters);
    const rows = cursor.toArray();
    const { rowsRead, rowsWritten } = cursor;
    meter?.add({ rowsRead, rowsWritten });
    return { rows, rowsWritten };
  };
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) => run(statement, parameters).rows as Row[],
    first: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      run(statement, parameters).rows[0] as Row | undefined,
    run: (statement, ...parameters) => run(statement, parameters).rowsWritten,
    transaction: (work) => storage.transactionSync(work),
  };
}
