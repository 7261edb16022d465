import type { ChatMessage, ToolDefinition } from "../chat.ts";
import { type Command, commandsIn } from "./command.ts";
import { type Conversation, conversationOf } from "./conversation.ts";
import { intentIn } from "./intent.ts";
import { languageOf, PHRASES } from "./language.ts";
import { report } from "./report.ts";
import { retrieve } from "./retrieval.ts";

/**
 * The reader's next move, by rule, from the messages and tools of one request alone. The same request always gets the
 * same move, so a step that a crash repeats repeats itself exactly.
 *
 * Calls that the input spells out come first, then what it plainly wants of a tool, then memory.
 */

export type Move = { say: string } | { calls: Command[] };

export function plan(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): Move {
  const conversation = conversationOf(messages);
  const { calls, unknown } = commandsIn(conversation.input, tools);
  if (calls.length > 0 || unknown.length > 0) return carryOut(calls, unknown, conversation);
  const intent = intentIn(conversation.input, tools);
  return intent === null ? retrieve(conversation, tools) : carryOut([intent], [], conversation);
}

function carryOut(calls: readonly Command[], unknown: readonly string[], { input, done }: Conversation): Move {
  const next = together(calls.slice(done.length));
  if (next.length > 0) return { calls: next };
  const language = languageOf(input);
  const missing = unknown.map((name) => PHRASES[language].noSuchTool(name));
  return { say: [report(done, language), ...missing].filter((line) => line !== "").join("\n") };
}

/** Calls of one tool go in one step; another tool waits for their results, so that a read sees the write before it. */
function together(calls: readonly Command[]): Command[] {
  const other = calls.findIndex(({ name }) => name !== calls[0]?.name);
  return calls.slice(0, other < 0 ? calls.length : other);
}
