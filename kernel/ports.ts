/**
 * What the platform lends the kernel, and nothing else.
 *
 * The kernel imports no platform. A shell (a Durable Object, a Worker, a plain Node process with a
 * virtual clock) makes these ports in one place and passes them in, so the same kernel runs in all three.
 */

/** Wall time in milliseconds since the epoch. Instants never cross objects, durations do: clocks differ. */
export interface Clock {
  now(): number;
}

/** Cryptographically strong random bytes; seeded in the simulator. */
export interface Random {
  bytes(length: number): Uint8Array;
}

/** Synchronous, because a hash stands inside a transaction and WebCrypto cannot. */
export interface Hash {
  /** Lower-case hex SHA-256 of UTF-8 text or of bytes; of several parts, of them joined. */
  sha256(data: string | Uint8Array | readonly Uint8Array[]): string;
}

export type SqlValue = string | number | null | ArrayBuffer | Uint8Array;
export type SqlRow = Record<string, string | number | null | ArrayBuffer>;

/** The object's own SQLite: synchronous, single writer. At most 100 parameters a statement. */
export interface Sql {
  /** All rows of one statement. Blobs come out as ArrayBuffer; bound numbers arrive as REAL, so columns are typed INTEGER. */
  all<Row extends SqlRow>(statement: string, ...parameters: SqlValue[]): Row[];
  /** The first row, or undefined. */
  first<Row extends SqlRow>(statement: string, ...parameters: SqlValue[]): Row | undefined;
  /** A statement whose rows nobody reads. Answers the number of rows written, as the platform bills them. */
  run(statement: string, ...parameters: SqlValue[]): number;
  /** Commits all of `work` or, when it throws, none. Nests. `work` must not await. */
  transaction<T>(work: () => T): T;
}

/** Immutable objects by key (R2, or a folder). */
export interface ObjectStore {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The object, or `length` bytes of it from `offset`; null when there is none. */
  get(key: string, range?: { offset: number; length: number }): Promise<Uint8Array | null>;
  /** Deletes up to 1,000 keys; absent ones are no error. */
  delete(keys: readonly string[]): Promise<void>;
  list(prefix: string, cursor?: string): Promise<{ keys: string[]; cursor: string | null }>;
}

/**
 * `fetch` of the web platform. It has no deadline of its own: callers always pass a signal. A streamed body whose
 * `content-length` the caller names is sent with that length, not in chunks.
 */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
