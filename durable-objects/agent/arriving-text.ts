import type { TextStream } from "../../kernel/context/page.ts";
import { withinMs } from "../../kernel/deadline.ts";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Blocks } from "../../kernel/storage/blocks.ts";

const CUT = err("unavailable", "The text stopped arriving before its end; nothing of it was stored. Send it again.", {
  retryAfterMs: LIMITS.retryAfterMs,
});
const TOO_LARGE = err("too_large", `A request holds at most ${LIMITS.requestBytes} bytes; split it.`);

/** All of a text that the Worker sends. Nothing is stored before its last byte is here. */
export async function arrived({ bytes, stream }: TextStream): Promise<Result<Blocks>> {
  if (bytes > LIMITS.requestBytes) return TOO_LARGE;
  const reader = stream.getReader({ mode: "byob" });
  try {
    return (await withinMs(LIMITS.requestBodyMs, blocksFrom(reader, bytes))) ?? CUT;
  } catch {
    return CUT;
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function blocksFrom(reader: ReadableStreamBYOBReader, bytes: number): Promise<Result<Blocks>> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for (let left = bytes; left > 0; ) {
    const size = Math.min(left, LIMITS.blockBytes);
    const { value } = await reader.readAtLeast(size, new Uint8Array(size));
    if (value === undefined || value.byteLength < size) return CUT;
    blocks.push(value as Uint8Array<ArrayBuffer>);
    left -= size;
  }
  return ok(blocks);
}
