import type { JournalEntry } from "./script.ts";

/**
 * What the vendors bill, by their own journal and their published prices. Nothing of the kernel's is used here: these are the
 * books that its ledger is held against.
 */

/** US dollars per million tokens are thousandths of a dollar per thousand: whole nano-dollars a token, all of them. */
interface Tariff {
  input: number;
  cached: number;
  output: number;
  /** Mondays to Fridays in these hours (UTC) everything costs twice as much. */
  peak?: readonly (readonly [from: number, to: number])[];
}

const CHINA_AT_WORK = [
  [1, 4],
  [6, 10],
] as const;

const TARIFFS: Readonly<Record<string, Tariff>> = {
  "gpt-6-luna": { input: 100, cached: 10, output: 500 },
  "text-embedding-3-small": { input: 20, cached: 20, output: 0 },
  "deepseek-flash": { input: 150, cached: 3, output: 600, peak: CHINA_AT_WORK },
  "kimi-k2.6": { input: 950, cached: 160, output: 4_000 },
  "qwen3:8b": { input: 0, cached: 0, output: 0 },
};

export interface BookEntry {
  request: number;
  /** The vendor's id. */
  model: string;
  /** `refused` = nothing was made and nothing is billed; `cut` = it was made, and the count of it did not arrive. */
  state: "whole" | "cut" | "refused";
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  costNanoUsd: number;
}

/** One entry a request that was answered. */
export function booksOf(journal: string): BookEntry[] {
  const requests = new Map<number, Extract<JournalEntry, { type: "request" }>>();
  const replies = new Map<number, Extract<JournalEntry, { type: "reply" }>>();
  const books: BookEntry[] = [];
  for (const line of journal.split("\n").filter(Boolean)) {
    const entry = JSON.parse(line) as JournalEntry;
    if (entry.type === "request") requests.set(entry.request, entry);
    if (entry.type === "reply") replies.set(entry.request, entry);
    const reply = replies.get(entry.request);
    const request = requests.get(entry.request);
    if (entry.type !== "end" || reply === undefined || request === undefined) continue;
    const state = stateOf(reply.fault, entry.complete, request.model);
    const { promptTokens, cachedTokens, completionTokens } = reply.usage;
    const costNanoUsd = state === "refused" ? 0 : priceOf(request.model, reply.usage, new Date(entry.at));
    books.push({
      request: entry.request,
      model: request.model,
      state,
      promptTokens,
      cachedTokens,
      completionTokens,
      costNanoUsd,
    });
  }
  return books;
}

/** Where only the terminal event is missing the count has left before it, but in Ollama's protocol, where it is in that event. */
function stateOf(fault: string | null, complete: boolean, model: string): BookEntry["state"] {
  if (fault === "status" || fault === "rate_limit" || fault === "spend_cap") return "refused";
  return complete || (fault === "no_terminal_event" && model !== "qwen3:8b") ? "whole" : "cut";
}

function priceOf(
  model: string,
  usage: { promptTokens: number; cachedTokens: number; completionTokens: number },
  at: Date,
): number {
  const tariff = TARIFFS[model];
  if (tariff === undefined) throw new Error(`the vendor has no price for ${model}`);
  const fresh = usage.promptTokens - usage.cachedTokens;
  const sum = fresh * tariff.input + usage.cachedTokens * tariff.cached + usage.completionTokens * tariff.output;
  const isWeekend = at.getUTCDay() === 0 || at.getUTCDay() === 6;
  const hour = at.getUTCHours();
  const isPeak = !isWeekend && (tariff.peak ?? []).some(([from, to]) => hour >= from && hour < to);
  return isPeak ? sum * 2 : sum;
}
