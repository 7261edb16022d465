import { costNanoUsd } from "../../../kernel/llm/pricing.ts";
import type { ModelPrice } from "../../../kernel/llm/provider.ts";
import type { Row } from "../../faults/state-files.ts";
import type { JournalEntry } from "../../support/model-server/script.ts";
import { failureOf } from "./failing-vendor.ts";

/** One line a billed call, sorted: what the journal of the failing vendor asks for, and what the core's ledger says. */

export function billOfJournal(journal: readonly JournalEntry[], price: ModelPrice): string[] {
  const requests = journal.filter(({ type }) => type === "request").length;
  const replies = journal.filter((entry) => entry.type === "reply");
  if (replies.length !== requests) throw new Error(`${requests} requests and ${replies.length} replies`);
  return replies
    .map(({ request, usage }) => {
      const [, bill] = failureOf(request) ?? [null, "said"];
      return bill === "said" ? settled(request, usage.promptTokens, costNanoUsd(usage, price)) : bill;
    })
    .sort();
}

/** Rows of the table `calls`. */
export function billOfLedger(calls: readonly Row[]): string[] {
  return calls.map(lineOf).sort();
}

function lineOf(call: Row): string {
  const { state, prompt_tokens: prompt, completion_tokens: completion, cost_nano_usd: cost } = call;
  if (state === "unknown" && cost === call["reserved_nano_usd"]) return "bound";
  if (state !== "settled") return JSON.stringify(call);
  return completion === 0 && cost === 0 ? "free" : settled(Number(completion), Number(prompt), Number(cost));
}

function settled(request: number, promptTokens: number, nanoUsd: number): string {
  return `request ${String(request).padStart(5, "0")}: ${promptTokens} prompt tokens, ${nanoUsd} nano-dollars`;
}
