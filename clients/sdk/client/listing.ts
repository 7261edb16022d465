import type { Query, Transport } from "./transport.ts";

/** One page of a list. `nextCursor` is null at its end; cursors are opaque. */
export interface Listing<T> {
  items: T[];
  nextCursor: string | null;
}

export interface ListOptions {
  /** At most this many items; the kernel's default is 50, its maximum 200. */
  limit?: number | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** Every item of a list, page by page, in the kernel's order. */
export async function* everyItem<T>(transport: Transport, path: string, query: Query): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await transport.json<Listing<T>>(path, { query: { limit: 200, ...query, cursor } });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
