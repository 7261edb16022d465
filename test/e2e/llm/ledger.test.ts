import { afterAll, beforeAll, expect, test } from "vitest";
import { costNanoUsd } from "../../../kernel/llm/pricing.ts";
import type { LedgerEntry } from "../../../kernel/scheduler/ledger.ts";
import type { Fault, JournalEntry, ScriptedUsage } from "../../support/model-server/script.ts";
import { FOUR_MODELS, FourVendors } from "./four-vendors.ts";

/** The ledger beside the vendors' own books: all four vendors, tools, caches, and faults that bill and that do not. */

const AGENTS_EACH = 3;

/** Refused, so billed by nobody; or cut, so that the vendor may have billed what nobody could read. */
const FAULTS: Fault[] = [
  { kind: "status", status: 503 },
  { kind: "fin", afterChunks: 2 },
  { kind: "rate_limit", retryAfterSeconds: 1, as: "seconds" },
  { kind: "error_in_stream", afterChunks: 1, message: "the server had an error" },
  { kind: "no_terminal_event" },
  { kind: "rst", afterChunks: 3 },
];

let vendors: FourVendors;
beforeAll(async () => {
  vendors = await FourVendors.start();
});
afterAll(() => vendors?.dispose());

test("has one entry a call: equal to the vendor's where it settled, never below it where nobody knows", async () => {
  const { client, server } = vendors;
  const text = "A reply that is long enough to be cut somewhere in its middle.";
  const usage: ScriptedUsage = { reasoningTokens: 5 };
  await server.script({
    queue: FAULTS.map((fault) => ({ text, fault })),
    rules: [
      {
        match: { lastUser: "sum" },
        reply: { reasoning: "A sum.", toolCalls: [SUM], usage },
        times: FOUR_MODELS.length * 2,
      },
      { reply: { text, usage } },
    ],
  });
  const spawned = FOUR_MODELS.flatMap((model) =>
    Array.from({ length: AGENTS_EACH }, () =>
      client.agents.spawn({ name: "Adder", role: "adder", goal: "Do a sum.", model, tools: ["calculate"] }),
    ),
  );
  const blocks = await Promise.all(
    (await Promise.all(spawned)).map(({ id }) => client.agents.wait(id, { timeoutSeconds: 90 })),
  );
  expect(blocks.map(({ exit }) => exit?.reason)).toEqual(blocks.map(() => "completed"));

  const calls = await vendorCalls();
  const entries = await vendors.entries();
  expect(entries).toHaveLength(calls.length);
  const settled = entries.filter(({ state, promptTokens }) => state === "settled" && promptTokens > 0);
  expect(settled.map(keyOfEntry).sort()).toEqual(calls.filter(isTold).map(keyOfCall).sort());
  for (const entry of settled) expect(entry.costNanoUsd).toBe(priceOf(entry));

  // Of what broke off before its usage came, nobody can say more than its upper bound.
  const unknown = entries.filter(({ state }) => state === "unknown");
  const cut = calls.filter((call) => !isTold(call) && !isRefusal(call));
  expect(unknown).toHaveLength(cut.length);
  for (const { model, costNanoUsd: cost, price } of unknown) {
    const dearest = cut.filter((call) => call.model === model).map((call) => costNanoUsd(call.usage, price));
    expect(dearest.some((real) => cost >= real)).toBe(true);
  }
  const free = entries.filter(({ state, promptTokens }) => state === "settled" && promptTokens === 0);
  expect(free.map(({ costNanoUsd: cost }) => cost)).toEqual([0, 0]);

  const report = await client.ledger.costs({ groupBy: "provider" });
  expect(report.totalNanoUsd).toBe(entries.reduce((sum, { costNanoUsd: cost }) => sum + cost, 0));
  expect(report.items.find(({ key }) => key === "ollama")?.costNanoUsd).toBe(0);
});

const SUM = { name: "calculate", arguments: { expression: "2+2" } };

interface VendorCall {
  model: string;
  usage: Required<ScriptedUsage>;
  fault: string | null;
  complete: boolean;
}

/** What the vendors answered, by their journal. */
async function vendorCalls(): Promise<VendorCall[]> {
  const journal = await vendors.server.journal();
  const of = <Type extends JournalEntry["type"]>(type: Type, request: number) =>
    journal.find(
      (entry): entry is Extract<JournalEntry, { type: Type }> => entry.type === type && entry.request === request,
    );
  return journal.flatMap((entry) => {
    if (entry.type !== "reply") return [];
    const model = FOUR_MODELS.find((name) => name.endsWith(`/${of("request", entry.request)?.model}`)) ?? "";
    const complete = of("end", entry.request)?.complete === true;
    return [{ model, usage: entry.usage, fault: entry.fault, complete }];
  });
}

/** Whether its usage arrived: with the whole reply, or before only the terminal event was missing. */
function isTold({ complete, fault, model }: VendorCall): boolean {
  return complete || (fault === "no_terminal_event" && !model.startsWith("ollama/"));
}

function isRefusal({ fault }: VendorCall): boolean {
  return fault === "status" || fault === "rate_limit";
}

function keyOfCall({ model, usage }: VendorCall): string {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage;
  const told = model.startsWith("ollama/") ? 0 : reasoningTokens;
  return [model, promptTokens, cachedTokens, completionTokens, told].join(" ");
}

function keyOfEntry(entry: LedgerEntry): string {
  const { model, promptTokens, cachedTokens, completionTokens, reasoningTokens } = entry;
  return [model, promptTokens, cachedTokens, completionTokens, reasoningTokens].join(" ");
}

/** By the entry's own unit prices, at the hour at which it settled. */
function priceOf(entry: LedgerEntry): number {
  return costNanoUsd(entry, entry.price, Date.parse(entry.settledAt ?? ""));
}
