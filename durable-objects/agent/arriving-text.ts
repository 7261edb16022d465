import { withinMs } from "../../kernel/deadline.ts";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Blocks } from "../../kernel/storage/blocks.ts";

const CUT = err("unavailable", "The text stopped arriving before its end; nothing of it was stored. Send it again.", {
  retryAfterMs: LIMITS.retryAfterMs,
});
const TOO_LARGE = err("too_large", `A request holds at most ${LIMITS.requestBytes} bytes; split it.`);

/** All of a text that the Worker sends. Nothing is stored before its last byte is here. */
export async function arrived(text: ReadableStream<Uint8Array>): Promise<Result<Blocks>> {
  const reader = text.getReader({ mode: "byob" });
  try {
    return (await withinMs(LIMITS.requestBodyMs, blocksFrom(reader))) ?? CUT;
  } catch {
    return CUT;
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function blocksFrom(reader: ReadableStreamBYOBReader): Promise<Result<Blocks>> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for (let bytes = 0; bytes <= LIMITS.requestBytes; ) {
    const { value, done } = await reader.readAtLeast(LIMITS.blockBytes, new Uint8Array(LIMITS.blockBytes));
    if (value !== undefined && value.byteLength > 0) blocks.push(value as Uint8Array<ArrayBuffer>);
    bytes += value?.byteLength ?? 0;
    if (done) return ok(blocks);
  }
  return TOO_LARGE;
}
