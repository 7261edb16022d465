import * as z from "zod";
import { type BodyEnd, type ReadBounds, readBody } from "../body-reader.ts";
import type { ReplyFrame } from "../reply-frame.ts";
import { type Completion, parseJson, vendorError } from "../wire.ts";

/**
 * The frames of an answer of `/api/chat`: a JSON record a line, the last one with `done: true`, the reason and the counts.
 * An error may come as a record of its own under status 200.
 */

const count = z.int().nonnegative();

const record = z.object({
  message: z
    .object({
      content: z.string().nullish(),
      thinking: z.string().nullish(),
      tool_calls: z
        .array(z.object({ id: z.string().nullish(), function: z.object({ name: z.string(), arguments: z.unknown() }) }))
        .nullish(),
    })
    .nullish(),
  done: z.boolean(),
  done_reason: z.string().nullish(),
  prompt_eval_count: count.nullish(),
  eval_count: count.nullish(),
});
type OllamaRecord = z.infer<typeof record>;

export async function* ollamaFrames(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): AsyncGenerator<ReplyFrame, void, void> {
  let calls = 0;
  for await (const item of readLines(body, bounds)) {
    if (item.type === "end") return yield item;
    const value = parseJson(item.line);
    const error = vendorError(value);
    if (error !== null) return yield { type: "error", error };
    const parsed = record.safeParse(value);
    if (!parsed.success) return yield { type: "malformed", problem: "is not a record of /api/chat" };
    yield { type: "chunk", chunk: chunkOf(parsed.data, calls) };
    calls += parsed.data.message?.tool_calls?.length ?? 0;
    if (parsed.data.done) return yield { type: "done" };
  }
}

type Line = { type: "line"; line: string } | { type: "end"; why: BodyEnd };

/** Lines that are not empty. A last one without its line feed counts only when the body ended in order. */
async function* readLines(
  body: ReadableStream<Uint8Array> | null,
  bounds: ReadBounds,
): AsyncGenerator<Line, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const item of readBody(body, bounds)) {
    const lines = (
      rest + (item.type === "end" ? decoder.decode() : decoder.decode(item.bytes, { stream: true }))
    ).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield { type: "line", line };
    if (item.type === "bytes") continue;
    if (item.why === "eof" && parseJson(rest) !== undefined) yield { type: "line", line: rest };
    return yield item;
  }
}

/** The record as the chunk of a chat completion. Calls are whole and have no index: `calls` came before. */
function chunkOf({ message, done, ...end }: OllamaRecord, calls: number): Completion {
  const toolCalls = (message?.tool_calls ?? []).map((call, index) => ({
    index: calls + index,
    id: call.id,
    function: { name: call.function.name, arguments: JSON.stringify(call.function.arguments ?? {}) },
  }));
  const delta = { content: message?.content, reasoning_content: message?.thinking, tool_calls: toolCalls };
  return {
    choices: [{ index: 0, delta, finish_reason: done ? end.done_reason || "stop" : null }],
    usage: done ? { prompt_eval_count: end.prompt_eval_count, eval_count: end.eval_count } : null,
  };
}
