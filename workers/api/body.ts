import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";

/**
 * The body of a request, read once, within a size and a time, through one small buffer that is used again and again: a
 * body may be 16 MiB, an isolate has 128 MB for all that it serves, and fresh chunks would lie around until the next
 * garbage collection. Callers keep no second copy.
 */

/** The bytes of the body. `too_large`, `request_timeout`, or `invalid_json` when the connection broke in the middle. */
export async function readBytes(request: Request): Promise<Result<Uint8Array>> {
  let bytes = new Uint8Array(Math.min(declaredLength(request), LIMITS.requestBytes));
  let used = 0;
  const length = await readChunks(request, (chunk) => {
    if (used + chunk.byteLength > bytes.byteLength) bytes = enlarged(bytes, used + chunk.byteLength);
    bytes.set(chunk, used);
    used += chunk.byteLength;
  });
  return length.ok ? ok(bytes.subarray(0, used)) : length;
}

/** The body as text; `invalid_json` when it is no UTF-8. */
export async function readText(request: Request): Promise<Result<string>> {
  let text = "";
  const length = await readPieces(request, (piece) => {
    text += piece;
  });
  return length.ok ? ok(text) : length;
}

/**
 * Hands the body to `take` as text, piece by piece; `invalid_json` when it is no UTF-8. Decoded as it arrives: for 5 MB at
 * once the runtime's decoder takes over 50 MB on the side.
 */
export async function readPieces(request: Request, take: (piece: string) => void): Promise<Result<number>> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let isText = true;
  const decode = (chunk?: Uint8Array) => {
    if (!isText) return; // The rest is read all the same: a client that is still sending would not see the reply.
    const piece = decoded(decoder, chunk);
    if (piece === null) isText = false;
    else take(piece);
  };
  const length = await readChunks(request, decode);
  decode();
  return length.ok && !isText ? NO_TEXT : length;
}

const NO_TEXT = err("invalid_json", "The body is not UTF-8 text.");

/** The text of one more chunk, or of what is left at the end; null when it is no UTF-8. */
function decoded(decoder: TextDecoder, chunk: Uint8Array | undefined): string | null {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    return null;
  }
}

function enlarged(bytes: Uint8Array, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(least, Math.min(2 * bytes.byteLength, LIMITS.requestBytes)));
  larger.set(bytes);
  return larger;
}

/**
 * Reads a body that nobody asked for and forgets it. A client that is still sending when it is refused would see a broken
 * connection instead of the reply.
 */
export async function discard(request: Request): Promise<void> {
  if (request.body !== null && !request.bodyUsed) await readChunks(request, () => {});
}

const READ_BYTES = 64 * 1024;
const TOO_LARGE = err("too_large", `A request holds at most ${LIMITS.requestBytes} bytes; split it.`);

/** Hands each chunk to `take`, as long as the body is not too large; answers how many bytes there were. */
async function readChunks(request: Request, take: (chunk: Uint8Array) => void): Promise<Result<number>> {
  const declared = declaredLength(request);
  if (declared > LIMITS.discardedBytes) return TOO_LARGE;
  if (request.body === null) return ok(0);
  const reader = request.body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(READ_BYTES);
  const clock = timer(LIMITS.requestBodyMs);
  try {
    for (let length = 0; length <= LIMITS.discardedBytes; ) {
      const read = reader.read(new Uint8Array(buffer)).catch(() => "cut" as const);
      const next = await Promise.race([read, clock.rings]);
      if (next === "late") return err("request_timeout", `Send the body within ${LIMITS.requestBodyMs / 1_000} s.`);
      if (next === "cut") return err("invalid_json", "The connection broke before the whole body had arrived.");
      if (next.done) return length > LIMITS.requestBytes ? TOO_LARGE : ok(length);
      buffer = next.value.buffer;
      length += next.value.byteLength;
      if (Math.max(declared, length) <= LIMITS.requestBytes) take(next.value);
    }
    return TOO_LARGE;
  } finally {
    clock.stop();
    reader.cancel().catch(() => {});
  }
}

/** 0 when the client does not say how long the body is. */
export function declaredLength(request: Request): number {
  return Number(request.headers.get("Content-Length") ?? 0) || 0;
}

function timer(ms: number): { rings: Promise<"late">; stop(): void } {
  let id: ReturnType<typeof setTimeout> | undefined;
  const rings = new Promise<"late">((resolve) => {
    id = setTimeout(resolve, ms, "late");
  });
  return { rings, stop: () => clearTimeout(id) };
}
