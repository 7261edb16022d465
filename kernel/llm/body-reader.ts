/**
 * Reads a response's body under three bounds: silence between chunks, size, and the caller's signal. `fetch` has none of
 * them. It never throws: how the body ended is its last item.
 */

export interface ReadBounds {
  signal: AbortSignal;
  /** Longest silence between two chunks. */
  idleMs: number;
  maxBytes: number;
}

/** `eof` = the sender closed the stream in order, which says nothing about whether the reply is complete. */
export type BodyEnd = "eof" | "stalled" | "too_large" | "broken" | "aborted";
export type BodyItem = { type: "bytes"; bytes: Uint8Array } | { type: "end"; why: BodyEnd };

export async function* readBody(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): AsyncGenerator<BodyItem, void, void> {
  if (body === null) return yield { type: "end", why: "eof" };
  const reader = body.getReader();
  let total = 0;
  try {
    for (;;) {
      const item = await readWithin(reader, bounds);
      total += item.type === "bytes" ? item.bytes.length : 0;
      yield total > bounds.maxBytes ? { type: "end", why: "too_large" } : item;
      if (item.type === "end" || total > bounds.maxBytes) return;
    }
  } finally {
    // Closes the connection when the rest is not wanted; a sender that stopped must not make us wait for that.
    reader.cancel().catch(() => {});
  }
}

/** The whole body as text, or how it failed and what came before that. */
export async function readText(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): Promise<{ text: string; why: BodyEnd }> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const item of readBody(body, bounds)) {
    if (item.type === "end") return { text: text + decoder.decode(), why: item.why };
    text += decoder.decode(item.bytes, { stream: true });
  }
  return { text, why: "broken" };
}

/** Races the read against silence and the signal, because an aborted `fetch` need not reject a read that is under way. */
async function readWithin(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { signal, idleMs }: ReadBounds,
): Promise<BodyItem> {
  if (signal.aborted) return { type: "end", why: "aborted" };
  const bound = Promise.withResolvers<BodyItem>();
  const timer = setTimeout(() => bound.resolve({ type: "end", why: "stalled" }), idleMs);
  const onAbort = (): void => bound.resolve({ type: "end", why: "aborted" });
  signal.addEventListener("abort", onAbort, { once: true });
  const read = reader.read().then(
    ({ done, value }): BodyItem => (done ? { type: "end", why: "eof" } : { type: "bytes", bytes: value }),
    (): BodyItem => ({ type: "end", why: signal.aborted ? "aborted" : "broken" }),
  );
  try {
    return await Promise.race([read, bound.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
