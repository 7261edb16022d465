import type { TextStream } from "../../kernel/context/page.ts";
import type { Blocks } from "../../kernel/storage/blocks.ts";
import { free } from "../../kernel/storage/free.ts";

/** The text of `blocks`, each of which is given back as soon as it was taken. Whoever cancels the stream ends it. */
export function streamOf(blocks: Blocks): TextStream {
  const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
  const { readable, writable } = new IdentityTransformStream();
  void pour(blocks, writable.getWriter());
  return { bytes, stream: readable };
}

async function pour(blocks: Blocks, writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  try {
    for (const block of blocks) {
      await writer.write(block);
      free(block);
    }
    await writer.close();
  } catch {
    // The reader has gone: it knows why.
  }
}
