import { describe, expect, test } from "vitest";
import { TenantBudgets } from "../../durable-objects/core/tenant-budgets.ts";
import { Log } from "../../kernel/log/log.ts";
import type { Sql } from "../../kernel/ports.ts";
import { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import { onNewObject } from "../support/on-object.ts";
import { nodeHash, TestClock } from "../support/ports.ts";

/** A tenant's budgets while one call is open that holds 200 tokens and 300,000 nano-dollars. */
function withOpenCall(sql: Sql) {
  const ports = { sql, clock: new TestClock(), hash: nodeHash };
  const scheduler = new Scheduler(ports, new Log(ports));
  const price = { inputNanoUsdPerMTok: 1, cachedInputNanoUsdPerMTok: 0, outputNanoUsdPerMTok: 1, version: "test" };
  const request = { callId: "call_a", lane: "interactive", provider: "p", model: "p/m", price } as const;
  scheduler.ledger.open(
    { owner: "agt_a", payer: null },
    { ...request, inputBound: 100, rateTokens: 200, outputWanted: 100, deadlineMs: 1_000 },
    { outputTokens: 100, nanoUsd: 300_000 },
    1,
  );
  return { scheduler, budgets: new TenantBudgets(ports.clock, scheduler) };
}

describe("a budget of the tenant that is set while a call is open", () => {
  test("holds what the call may cost, so that it cannot be spent twice", () =>
    onNewObject("core", (sql) => {
      const { budgets, scheduler } = withOpenCall(sql);
      budgets.set({ tokens: 1_000, nanoUsd: 1_000_000, pages: 5 });
      expect(budgets.meters().quotas).toEqual({
        tokens: { limit: 1_000, used: 0, reserved: 200, per: "total" },
        nanoUsd: { limit: 1_000_000, used: 0, reserved: 300_000, per: "total" },
        pages: { limit: 5, used: 0, reserved: 0, per: "total" },
      });
      const usage = { promptTokens: 50, cachedTokens: 0, completionTokens: 10, reasoningTokens: 0, estimated: false };
      scheduler.settle({ callId: "call_a", state: "settled", usage, costNanoUsd: 70_000 });
      expect(budgets.meters().quotas).toMatchObject({
        tokens: { used: 60, reserved: 0 },
        nanoUsd: { used: 70_000, reserved: 0 },
      });
    }));

  test("holds it once, also when it is set again", () =>
    onNewObject("core", (sql) => {
      const { budgets } = withOpenCall(sql);
      budgets.set({ steps: 10 });
      budgets.set({ steps: 20, tokens: 1_000 });
      expect(budgets.meters().quotas).toMatchObject({
        steps: { limit: 20, reserved: 1 },
        tokens: { limit: 1_000, reserved: 200 },
      });
    }));
});
