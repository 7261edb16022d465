import { withinMs } from "../../../kernel/deadline.ts";
import { err, ok, type Result } from "../../../kernel/errors.ts";
import { LIMITS } from "../../../kernel/limits.ts";

/**
 * A large body chunk by chunk, each handed on before the next is read, so that no more than a chunk is held. What is wrong
 * with it ends the handing on, not the reading: a client that is still sending would not see the reply.
 */
export async function eachChunk(
  request: Request,
  take: (chunk: Uint8Array) => Promise<Result<null>>,
): Promise<Result<null>> {
  if (request.body === null) return ok(null);
  const reader = request.body.getReader();
  let taken: Result<null> = ok(null);
  try {
    for (let length = 0; length <= LIMITS.batchBytes; ) {
      // A client may be slow, not silent.
      const read = reader.read().catch(() => "cut" as const);
      const next = await withinMs(LIMITS.requestBodyMs, read);
      if (next === null) return LATE;
      if (next === "cut") return CUT;
      if (next.done) return taken;
      length += next.value.byteLength;
      if (taken.ok && length <= LIMITS.batchBytes) taken = await take(next.value);
    }
    return TOO_LARGE;
  } finally {
    reader.cancel().catch(() => {});
  }
}

const LATE = err("request_timeout", `Nothing of the body came for ${LIMITS.requestBodyMs / 1_000} s.`);
const CUT = err("invalid_json", "The connection broke before the whole body had arrived.");
const TOO_LARGE = err("too_large", `A batch holds at most ${LIMITS.batchBytes} bytes; split it.`);
