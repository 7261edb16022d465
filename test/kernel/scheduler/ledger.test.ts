import { describe, expect, test } from "vitest";
import type { TokenUsage } from "../../../kernel/llm/chat.ts";
import { costNanoUsd } from "../../../kernel/llm/pricing.ts";
import { deepseek } from "../../../kernel/llm/providers/deepseek.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { costsOf } from "../../../kernel/scheduler/costs.ts";
import type { GrantRequest } from "../../../kernel/scheduler/grant.ts";
import { Ledger } from "../../../kernel/scheduler/ledger.ts";
import { onNewObject } from "../../support/on-object.ts";
import { TestClock } from "../../support/ports.ts";

/** The ledger of a tenant: one entry a call, with all that its price follows from. */

const PRICE = deepseek.models["deepseek-flash"]?.price;
if (PRICE === undefined) throw new Error("the table lost its first model");
const price = PRICE;

const USAGE: TokenUsage = {
  promptTokens: 1_000,
  cachedTokens: 640,
  cacheWriteTokens: 100,
  completionTokens: 300,
  reasoningTokens: 250,
  estimated: false,
};

class Book {
  readonly clock = new TestClock(Date.UTC(2026, 10, 24, 12));
  readonly ledger: Ledger;
  #changed = 0;

  constructor(sql: Sql) {
    this.ledger = new Ledger({ sql, clock: this.clock });
  }

  open(callId: string, agentId: string, more: Partial<GrantRequest> = {}): void {
    const request: GrantRequest = {
      callId,
      lane: "interactive",
      provider: "deepseek",
      model: "deepseek/deepseek-flash",
      price,
      inputBound: 4_000,
      outputWanted: 500,
      rateTokens: 4_500,
      deadlineMs: 1_000,
      ...more,
    };
    this.ledger.open({ owner: agentId, payer: null }, request, { outputTokens: 500, nanoUsd: 900_000 }, this.#next());
  }

  settle(callId: string, usage = USAGE): void {
    const cost = costNanoUsd(usage, price, this.clock.now());
    this.ledger.settle({ callId, state: "settled", usage, costNanoUsd: cost }, this.#next());
  }

  lose(callId: string): void {
    this.ledger.settle({ callId, state: "unknown", usage: null, costNanoUsd: 0 }, this.#next());
  }

  #next(): number {
    this.#changed += 1;
    return this.#changed;
  }
}

describe("an entry of the ledger", () => {
  test("says vendor, model, every kind of token, the unit prices and their version, to the nano-dollar", () =>
    onNewObject("core", (sql) => {
      const book = new Book(sql);
      book.open("call_a", "agt_1");
      book.settle("call_a");
      const cost = 360 * 150 + 640 * 3 + 300 * 600;
      expect(book.ledger.list({ limit: 10 }).items).toEqual([
        {
          callId: "call_a",
          agentId: "agt_1",
          provider: "deepseek",
          model: "deepseek/deepseek-flash",
          state: "settled",
          promptTokens: 1_000,
          cachedTokens: 640,
          cacheWriteTokens: 100,
          completionTokens: 300,
          reasoningTokens: 250,
          costNanoUsd: cost,
          costUsd: expect.stringMatching(/^0\.000235920?$/),
          price: expect.objectContaining({ version: "deepseek-2026-11", inputNanoUsdPerMTok: 150_000_000 }),
          resumedFrom: null,
          restartedFrom: null,
          cache: null,
          savedNanoUsd: 0,
          openedAt: "2026-11-24T12:00:00.000Z",
          settledAt: "2026-11-24T12:00:00.000Z",
        },
      ]);
    }));

  test("whose outcome nobody knows costs its upper bound, and the call after it says what it does again", () =>
    onNewObject("core", (sql) => {
      const book = new Book(sql);
      book.open("call_a", "agt_1");
      book.open("call_b", "agt_1", { resumedFrom: "call_a" });
      book.open("call_c", "agt_1", { restartedFrom: "call_b" });
      book.lose("call_a");
      book.settle("call_b");
      const [third, second, first] = book.ledger.list({ limit: 10 }).items;
      expect([first?.state, first?.costNanoUsd, first?.promptTokens]).toEqual(["unknown", 900_000, 4_000]);
      expect([second?.state, second?.resumedFrom, second?.restartedFrom]).toEqual(["settled", "call_a", null]);
      expect([third?.state, third?.resumedFrom, third?.restartedFrom]).toEqual(["open", null, "call_b"]);
    }));

  test("comes in pages, the newest first, of all agents or of one", () =>
    onNewObject("core", (sql) => {
      const book = new Book(sql);
      for (const [index, agent] of ["agt_1", "agt_2", "agt_1"].entries()) book.open(`call_${index}`, agent);
      const first = book.ledger.list({ limit: 2 });
      expect(first.items.map(({ callId }) => callId)).toEqual(["call_2", "call_1"]);
      const second = book.ledger.list({ limit: 2, cursor: first.nextCursor ?? "" });
      expect([second.items.map(({ callId }) => callId), second.nextCursor]).toEqual([["call_0"], null]);
      expect(book.ledger.list({ limit: 9, agentId: "agt_2" }).items.map(({ callId }) => callId)).toEqual(["call_1"]);
    }));
});

describe("the bill", () => {
  test("of a subtree is its root's and all below, while the total counts each call once", () =>
    onNewObject("core", (sql) => {
      const book = new Book(sql);
      const enter = `INSERT INTO processes (id, name, state, priority, parent_id, block, seq, vtime, changed)
        VALUES (?, 'a', 'ready', 50, ?, '{}', 0, 0, 0)`;
      for (const [id, parent] of [
        ["agt_1", null],
        ["agt_2", "agt_1"],
        ["agt_3", "agt_2"],
        ["agt_4", null],
      ] as const) {
        sql.run(enter, id, parent);
        book.open(`call_${id}`, id);
        book.settle(`call_${id}`);
      }
      const each = costNanoUsd(USAGE, price, book.clock.now());
      const report = costsOf(sql, "subtree", {});
      expect(report.items.map(({ key, calls, costNanoUsd: cost }) => [key, calls, cost])).toEqual([
        ["agt_1", 3, 3 * each],
        ["agt_2", 2, 2 * each],
      ]);
      expect(report.totalNanoUsd).toBe(4 * each);
      expect(costsOf(sql, "provider", {}).items[0]).toMatchObject({ key: "deepseek", reasoningTokens: 4 * 250 });
    }));
});
