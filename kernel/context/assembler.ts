import { err, ok, type Result } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { ChatMessage, ToolDefinition } from "../llm/chat.ts";
import type { ContextState } from "./context-state.ts";
import { framedSum, MESSAGE_TOKENS } from "./frame.ts";
import type { PageTable, ResidentRow } from "./page-table.ts";
import { EVICTED_HEADER, MEMORY_HEADER, PREAMBLE, renderPage, renderStub } from "./prompt-format.ts";
import { groupsOf, turnStart } from "./reclaim.ts";
import { utf8Bytes } from "./script.ts";
import { estimateTokens } from "./tokens.ts";

/**
 * The prompt, as a pure function of the tables and the tools: whoever assembles after a crash gets the same bytes.
 *
 * The order is fixed: the system message (kernel, instructions, goal, lines of evicted pages), the history as it grew, and
 * last of all the faulted pages in one message. So the beginning is the same from step to step, until reclaim empties the
 * window in bulk. What does not fit is left out here, the least recently used first; the newest message never.
 */

export interface Prompt {
  messages: ChatMessage[];
  /** With the calibrated factor in it; tools included. */
  estimatedTokens: number;
  /** Of messages and tools as JSON: no tokenizer makes more tokens than bytes. */
  utf8Bytes: number;
}

/** Of every prompt, whatever is in it. */
const FIXED_TOKENS = estimateTokens(PREAMBLE) + estimateTokens(MEMORY_HEADER) + 2 * MESSAGE_TOKENS;

type Piece = {
  rows: ResidentRow[];
  tokens: number;
  place: "history" | "memory";
  keep: boolean;
  usedAt: number;
  current: boolean;
};

export class Assembler {
  readonly #table: PageTable;
  readonly #state: ContextState;
  readonly #window: { windowTokens: number; maxOutputTokens: number };

  constructor(table: PageTable, state: ContextState, window: { windowTokens: number; maxOutputTokens: number }) {
    this.#table = table;
    this.#state = state;
    this.#window = window;
  }

  /** Our estimated tokens that a prompt may hold, tools included: the window without the reply, by the calibrated factor. */
  promptTokens(): number {
    const { windowTokens, maxOutputTokens } = this.#window;
    const reply = Math.min(maxOutputTokens, windowTokens * LIMITS.replyShare);
    return Math.floor((windowTokens - reply) / this.#state.read().token_factor);
  }

  /** The same for hot pages alone: without tools, the kernel's own words, and the lines that evicted pages may leave. */
  pageTokens(): number {
    return this.promptTokens() - this.#state.read().tool_tokens - FIXED_TOKENS - this.#stubTokens();
  }

  /** By the window alone: the factor changes from call to call, and with it the beginning of the prompt would. */
  #stubTokens(): number {
    return Math.floor(this.#window.windowTokens * LIMITS.stubShare);
  }

  assemble(tools: readonly ToolDefinition[]): Result<Prompt> {
    const resident = this.#table.resident();
    const toolTokens = toolTokensOf(tools);
    const pinned = systemText(resident);
    const stubs = this.#stubs();
    const pieces = piecesOf(resident);
    const room =
      this.promptTokens() - toolTokens - estimateTokens(pinned) - 2 * MESSAGE_TOKENS - estimateTokens(MEMORY_HEADER);
    const fitted = fitting(pieces, estimateTokens(stubs), room);
    if (fitted === null) {
      return err(
        "context_overflow",
        "instructions, pinned pages and the newest message alone exceed the window; unpin pages, or give a larger window",
      );
    }
    const system = fitted.stubs ? pinned + stubs : pinned;
    const messages = messagesOf(system, fitted.pieces);
    const tokens =
      toolTokens + messages.reduce((sum, message) => sum + estimateTokens(textOf(message)) + MESSAGE_TOKENS, 0);
    return ok({
      messages,
      estimatedTokens: Math.ceil(tokens * this.#state.read().token_factor),
      utf8Bytes: utf8Bytes(JSON.stringify(messages)) + utf8Bytes(JSON.stringify(tools)),
    });
  }

  /** Newest last; older ones, and those for which there is no room, are one line with their number. */
  #stubs(): string {
    const { newest, total } = this.#table.stubs(LIMITS.stubLines);
    if (total === 0) return "";
    let left = this.#stubTokens() - estimateTokens(EVICTED_HEADER) - estimateTokens(olderPages(total));
    const lines: string[] = [];
    for (const line of newest.map(renderStub)) {
      left -= estimateTokens(`\n${line}`);
      if (left < 0) break;
      lines.unshift(line);
    }
    const older = total > lines.length ? [olderPages(total - lines.length)] : [];
    return ["\n", EVICTED_HEADER, ...older, ...lines].join("\n");
  }
}

function olderPages(count: number): string {
  return `- ${count} older pages; memory_search finds them`;
}

/** Estimated tokens of the tools' definitions. */
export function toolTokensOf(tools: readonly ToolDefinition[]): number {
  return tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
}

function systemText(resident: readonly ResidentRow[]): string {
  const of = (kind: string) =>
    resident.filter((row) => row.place === "system" && row.kind === kind).map((row) => row.content);
  const goal = of("goal").join("");
  return [PREAMBLE, of("instructions").join(""), goal === "" ? "" : `Your goal:\n${goal}`]
    .filter((part) => part !== "")
    .join("\n\n");
}

function piecesOf(resident: readonly ResidentRow[]): Piece[] {
  const turn = turnStart(resident);
  return groupsOf(resident.filter((row) => row.place !== "system")).map((rows): Piece => {
    const first = rows[0]?.ordinal ?? 0;
    const history = rows[0]?.place === "history";
    return {
      rows,
      place: history ? "history" : "memory",
      tokens: framedSum(rows),
      keep: rows.some((row) => row.pinned === 1) || (history && first === turn),
      usedAt: Math.max(...rows.map((row) => row.used_at)),
      current: history && first > turn,
    };
  });
}

/** Leaves out what does not fit: by use, then the evicted pages' lines, then the current turn's oldest exchanges. */
function fitting(
  pieces: readonly Piece[],
  stubTokens: number,
  room: number,
): { pieces: Piece[]; stubs: boolean } | null {
  let excess = pieces.reduce((sum, piece) => sum + piece.tokens, stubTokens) - room;
  const left = new Set(pieces);
  const drop = (candidates: readonly Piece[]) => {
    for (const piece of candidates) {
      if (excess <= 0) return;
      excess -= piece.tokens;
      left.delete(piece);
    }
  };
  drop(pieces.filter((piece) => !piece.keep && !piece.current).toSorted((a, b) => a.usedAt - b.usedAt));
  const stubs = excess <= 0;
  if (!stubs) excess -= stubTokens;
  drop(pieces.filter((piece) => !piece.keep && piece.current));
  return excess > 0 ? null : { pieces: pieces.filter((piece) => left.has(piece)), stubs };
}

function messagesOf(system: string, pieces: readonly Piece[]): ChatMessage[] {
  const history = pieces.filter((piece) => piece.place === "history").flatMap((piece) => historyMessages(piece.rows));
  const memory = pieces.filter((piece) => piece.place === "memory").flatMap((piece) => piece.rows);
  const messages: ChatMessage[] = [{ role: "system", content: system }, ...history];
  if (memory.length === 0) return messages;
  const rendered = memory
    .toSorted((a, b) => (a.hot_at ?? 0) - (b.hot_at ?? 0) || a.ordinal - b.ordinal)
    .map(renderPage);
  return [...messages, { role: "user", content: [MEMORY_HEADER, ...rendered].join("\n\n") }];
}

function historyMessages(rows: readonly ResidentRow[]): ChatMessage[] {
  const content = rows.map((row) => row.content).join("");
  switch (rows[0]?.kind) {
    case "exchange":
      return JSON.parse(content) as ChatMessage[];
    case "reply":
      return [{ role: "assistant", content }];
    default:
      return [{ role: "user", content }];
  }
}

/** All that a vendor counts of a message. */
function textOf(message: ChatMessage): string {
  if (message.role !== "assistant") return message.content;
  const calls = (message.tool_calls ?? []).map((call) => call.function.name + call.function.arguments).join("");
  return (message.content ?? "") + calls + (message.reasoning_content ?? "");
}
