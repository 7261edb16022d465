import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BookEntry } from "../../support/model-server/books.ts";
import { FOUR_MODELS, FourVendors } from "./four-vendors.ts";

/**
 * Ten thousand calls through the front, in the dialects of four vendors and by all three routes, a tenth of them faulty: the
 * ledger beside books that the vendors keep by themselves (test/support/model-server/books.ts).
 */

const CALLS = 10_000;
/** A machine with other work makes fewer of them in this time; the books have to agree all the same. */
const MOST_MS = Number(process.env["AOS_LEDGER_MINUTES"] ?? 4) * 60_000;
const LEAST_CALLS = 500;
const AT_ONCE = 100;
const TRIES = 60;
/** Long enough for the vendors' prefix caches. */
const SYSTEM = "You are a careful clerk who answers in whole sentences and never guesses. ".repeat(20);
/** Nothing was asked of the vendor, or it wants to be asked later. */
const LATER = new Set(["rate_limited", "provider_rate_limited", "unavailable"]);

let vendors: FourVendors;

beforeAll(async () => {
  vendors = await FourVendors.start({ answers: join(import.meta.dirname, "failing-mix.ts"), unsynced: true });
});

afterAll(() => vendors?.dispose());

function requestOf(number: number): { path: string; body: object } {
  const model = FOUR_MODELS[number % FOUR_MODELS.length];
  const question = `Question ${number}: how much is ${number} and ${number}?`;
  const stream = number % 3 === 0;
  if (number % 10 === 7) {
    return {
      path: "/v1/embeddings",
      body: { model: "openai/text-embedding-3-small", input: [question, `Note ${number}`] },
    };
  }
  if (number % 5 === 1)
    return { path: "/v1/responses", body: { model, instructions: SYSTEM, input: question, stream } };
  const messages = [
    { role: "system", content: SYSTEM },
    { role: "user", content: question },
  ];
  return { path: "/v1/chat/completions", body: { model, messages, stream } };
}

/** Asks until it was asked of the vendor, and answers how it ended. */
async function ask(number: number): Promise<string> {
  const { path, body } = requestOf(number);
  const { kernel } = vendors;
  const headers = { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" };
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(kernel.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await response.text();
    const code = response.status === 200 ? "ok" : (JSON.parse(text) as { error: { code: string } }).error.code;
    if (!LATER.has(code) || attempt === TRIES) return code;
    await sleep(Number(response.headers.get("retry-after") ?? 1) * 1_000);
  }
}

async function askAll(): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  const end = Date.now() + MOST_MS;
  let next = 0;
  const work = async () => {
    while (next < CALLS && Date.now() < end) {
      const code = await ask(next++);
      ends.set(code, (ends.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return ends;
}

function keyOf(entry: Pick<BookEntry, "model" | "promptTokens" | "cachedTokens" | "completionTokens" | "costNanoUsd">) {
  const { model, promptTokens, cachedTokens, completionTokens, costNanoUsd } = entry;
  return [model.slice(model.indexOf("/") + 1), promptTokens, cachedTokens, completionTokens, costNanoUsd].join(" ");
}

function sum(items: readonly { costNanoUsd: number }[]): number {
  return items.reduce((total, { costNanoUsd }) => total + costNanoUsd, 0);
}

test(
  "ten thousand mixed calls stand in the ledger once each, to the nano-dollar as the vendors' books say",
  async () => {
    const begun = Date.now();
    const ends = await askAll();
    const tookMs = Date.now() - begun;
    const books = await vendors.server.books();
    await expect
      .poll(async () => (await vendors.entries()).filter(({ state }) => state === "open"), { timeout: 30_000 })
      .toEqual([]);
    const ledger = await vendors.entries();
    const told = books.filter(({ state }) => state === "whole");
    const cut = books.filter(({ state }) => state === "cut");
    const settled = ledger.filter(({ state, promptTokens }) => state === "settled" && promptTokens > 0);
    const unknown = ledger.filter(({ state }) => state === "unknown");
    const free = ledger.filter(({ state, promptTokens }) => state === "settled" && promptTokens === 0);
    console.log(
      `${books.length} vendor calls in ${tookMs} ms (${Math.round((books.length / tookMs) * 1_000)} a second): ${JSON.stringify(Object.fromEntries(ends))}`,
    );
    console.log(
      `settled ${settled.length}: ledger ${sum(settled)}, vendors ${sum(told)} nano-dollars; unknown ${unknown.length}: ledger ${sum(unknown)}, vendors ${sum(cut)}; refused ${free.length}`,
    );

    expect(books.length).toBeGreaterThanOrEqual(LEAST_CALLS);
    expect(new Set(ledger.map(({ callId }) => callId)).size).toBe(books.length);
    expect(settled.map(keyOf).sort()).toEqual(told.map(keyOf).sort());
    expect(sum(settled)).toBe(sum(told));
    expect(free).toHaveLength(books.filter(({ state }) => state === "refused").length);
    expect(sum(free)).toBe(0);

    // What broke off stands at its upper bound, which is not below the dearest of its kind.
    const vendorIds = [...new Set(cut.map(({ model }) => model))];
    for (const id of vendorIds) {
      const real = cut.filter(({ model }) => model === id).map(({ costNanoUsd }) => costNanoUsd);
      const held = unknown.filter(({ model }) => model.endsWith(`/${id}`)).map(({ costNanoUsd }) => costNanoUsd);
      expect(held).toHaveLength(real.length);
      expect(Math.min(...held)).toBeGreaterThanOrEqual(Math.max(...real));
    }
    expect(unknown).toHaveLength(cut.length);
  },
  MOST_MS + 180_000,
);
