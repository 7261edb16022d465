import { type Blocks, BlockWriter } from "../../kernel/storage/blocks.ts";

export function blocksOf(text: string): Blocks {
  const writer = new BlockWriter();
  writer.write(text);
  return writer.blocks;
}
