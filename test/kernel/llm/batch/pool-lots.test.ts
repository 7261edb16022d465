import { describe, expect, test } from "vitest";
import { BatchRig } from "../../../support/batch-rig.ts";
import { onNewObject } from "../../../support/on-object.ts";

/** A job at vendors without a Batch API: ordinary calls, a few at a time. */

describe("a job in the pool", () => {
  test("answers every request once, in their order", () =>
    onNewObject("batch-job", async (sql) => {
      const rig = new BatchRig(sql, {});
      rig.accept(200, "local/reader");
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 200, failed: 0, cost_nano_usd: 0 });
      const results = rig.results();
      expect(results.map((line) => line.custom_id)).toEqual(Array.from({ length: 200 }, (_, i) => `c-${i}`));
      expect(results.every(({ response }) => response?.status_code === 200)).toBe(true);
      expect(rig.core.settled.size).toBe(200);
    }));

  test("bills a call that a crash hid as unknown, and makes it again under a new id", () =>
    onNewObject("batch-job", async (sql) => {
      const rig = new BatchRig(sql, {});
      rig.accept(3, "local/reader");
      await rig.reserveAll();
      // A life that died after it had marked the call and before it had an outcome.
      rig.tables.send(1);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 3 });
      const states = [...rig.core.settled.values()].map(({ state }) => state).sort();
      expect(states).toEqual(["settled", "settled", "settled", "unknown"]);
      expect(rig.results()).toHaveLength(3);
    }));

  test("takes over what an endpoint without batch routes cannot do, and gives its reservations back", () =>
    onNewObject("batch-job", async (sql) => {
      const rig = new BatchRig(sql, { OPENAI_BASE_URL: "http://models.test/v1" });
      rig.api.script({ absent: true });
      rig.accept(3, "openai/some-local-model");
      await rig.untilOver();
      // The scripted vendor has no chat route either: every request was tried as a call of its own, and says so.
      expect(rig.api.asked).toContain("POST /chat/completions");
      expect(rig.results().map(({ error }) => error?.code)).toEqual(Array(3).fill("provider_rejected"));
      expect(rig.core.settled.size).toBe(6);
      expect([...rig.core.settled.values()].every(({ costNanoUsd }) => costNanoUsd === 0)).toBe(true);
    }));

  test("calls nobody while the account's gate is closed, and tells it how each call ended", () =>
    onNewObject("batch-job", async (sql) => {
      const rig = new BatchRig(sql, {});
      rig.accept(5, "local/reader");
      await rig.reserveAll();
      rig.gate.closedMs = 7_000;
      expect(await rig.alarm()).toBe(rig.clock.now() + 7_000);
      expect(rig.tables.job()).toMatchObject({ state: "running", completed: 0 });
      rig.gate.closedMs = 0;
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 5 });
      expect(rig.gate.heard.map((end) => end?.ok)).toEqual(Array(5).fill(true));
      expect(rig.gate.inside).toBe(0);
    }));

  test("begins nothing more once it is cancelled", () =>
    onNewObject("batch-job", async (sql) => {
      const rig = new BatchRig(sql, {});
      rig.accept(5, "local/reader");
      await rig.reserveAll();
      rig.tables.change({ state: "cancelling" }, rig.clock.now());
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "cancelled", completed: 0, failed: 5 });
      expect(rig.core.settled.size).toBe(5);
      expect(rig.results().every(({ error }) => error?.code === "cancelled")).toBe(true);
    }));
});
