import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * The body of a request, read once, within a size and a time. Callers keep no second copy: a body may be 16 MiB, and an
 * isolate shares 128 MB among everything that it serves.
 */

/** The bytes of the body. `too_large`, `request_timeout`, or `invalid_json` when the connection broke in the middle. */
export async function readBytes(request: Request): Promise<Result<Uint8Array>> {
  const parts: Uint8Array[] = [];
  const length = await readChunks(request, (chunk) => parts.push(chunk));
  return length.ok ? ok(concat(parts, length.value)) : length;
}

/** The body as text; `invalid_json` when it is no UTF-8. */
export async function readText(request: Request): Promise<Result<string>> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const parts: string[] = [];
  let isText = true;
  const decode = (chunk?: Uint8Array) => {
    try {
      if (isText) parts.push(decoder.decode(chunk, { stream: chunk !== undefined }));
    } catch {
      isText = false;
    }
  };
  const length = await readChunks(request, decode);
  if (!length.ok) return length;
  decode();
  return isText ? ok(parts.join("")) : err("invalid_json", "The body is not UTF-8 text.");
}

/**
 * Reads a body that nobody asked for and forgets it. A client that is still sending when it is refused would see a broken
 * connection instead of the reply.
 */
export async function discard(request: Request): Promise<void> {
  if (request.body !== null && !request.bodyUsed) await readChunks(request, () => {});
}

const TOO_LARGE = err("too_large", `A request holds at most ${LIMITS.requestBytes} bytes; split it.`);

/** Hands each chunk to `take`, as long as the body is not too large; answers how many bytes there were. */
async function readChunks(request: Request, take: (chunk: Uint8Array) => void): Promise<Result<number>> {
  const declared = Number(request.headers.get("Content-Length") ?? 0);
  if (declared > LIMITS.discardedBytes) return TOO_LARGE;
  if (request.body === null) return ok(0);
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  const clock = timer(LIMITS.requestBodyMs);
  try {
    for (let length = 0; length <= LIMITS.discardedBytes; ) {
      const next = await Promise.race([reader.read().catch(() => "cut" as const), clock.rings]);
      if (next === "late") return err("request_timeout", `Send the body within ${LIMITS.requestBodyMs / 1_000} s.`);
      if (next === "cut") return err("invalid_json", "The connection broke before the whole body had arrived.");
      if (next.done) return length > LIMITS.requestBytes ? TOO_LARGE : ok(length);
      length += next.value.byteLength;
      if (Math.max(declared, length) <= LIMITS.requestBytes) take(next.value);
    }
    return TOO_LARGE;
  } finally {
    clock.stop();
    reader.cancel().catch(() => {});
  }
}

function timer(ms: number): { rings: Promise<"late">; stop(): void } {
  let id: ReturnType<typeof setTimeout> | undefined;
  const rings = new Promise<"late">((resolve) => {
    id = setTimeout(resolve, ms, "late");
  });
  return { rings, stop: () => clearTimeout(id) };
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1 && parts[0]) return parts[0];
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}
