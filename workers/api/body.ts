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
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const parts: string[] = [];
  try {
    const length = await readChunks(request, (chunk) => parts.push(decoder.decode(chunk, { stream: true })));
    if (!length.ok) return length;
    parts.push(decoder.decode());
  } catch (error) {
    if (error instanceof TypeError) return err("invalid_json", "The body is not UTF-8 text.");
    throw error;
  }
  return ok(parts.join(""));
}

/** Hands each chunk to `take`; answers how many bytes there were. */
async function readChunks(request: Request, take: (chunk: Uint8Array) => void): Promise<Result<number>> {
  if (Number(request.headers.get("Content-Length") ?? 0) > LIMITS.requestBytes) return TOO_LARGE;
  if (request.body === null) return ok(0);
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, LIMITS.requestBodyMs, "late");
  });
  try {
    for (let length = 0; ; ) {
      const next = await Promise.race([reader.read().catch(() => "cut" as const), late]);
      if (next === "late") return err("request_timeout", `Send the body within ${LIMITS.requestBodyMs / 1_000} s.`);
      if (next === "cut") return err("invalid_json", "The connection broke before the whole body had arrived.");
      if (next.done) return ok(length);
      length += next.value.byteLength;
      if (length > LIMITS.requestBytes) return TOO_LARGE;
      take(next.value);
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
}

const TOO_LARGE = err("too_large", `A request holds at most ${LIMITS.requestBytes} bytes; split it.`);

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
