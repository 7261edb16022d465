import { describe, expect, test } from "vitest";
import { discounted } from "../../../../kernel/llm/batch/drivers.ts";
import { costNanoUsd } from "../../../../kernel/llm/pricing.ts";
import { kimi } from "../../../../kernel/llm/providers/kimi.ts";
import { openai } from "../../../../kernel/llm/providers/openai.ts";
import { BatchRig } from "../../../support/batch-rig.ts";
import type { BilledBatch } from "../../../support/model-server/batch-script.ts";
import { onNewObject } from "../../../support/on-object.ts";

/** A job by way of a vendor's Batch API, over every way that its conversation with the vendor can break. */

const PRICE = openai.models["gpt-5.4-mini"]?.price;

/** What the vendor's books say that it bills. */
function billed(books: readonly BilledBatch[], price = PRICE, factor = 0.5): number {
  if (price === undefined) throw new Error("no price");
  const unit = discounted(price, factor);
  return books.flatMap(({ bills }) => bills).reduce((sum, { usage }) => sum + costNanoUsd(usage, unit), 0);
}

function story(play: (rig: BatchRig) => Promise<void>): () => Promise<void> {
  return () => onNewObject("batch-job", (sql) => play(new BatchRig(sql)));
}

describe("a job at a vendor with a Batch API", () => {
  test(
    "ends complete, one result per request in their order, billed at half price as the vendor's books say",
    story(async (rig) => {
      rig.api.script({ processMs: 60_000, failEvery: 10 });
      rig.accept(300);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "completed", total: 300, completed: 270, failed: 30 });
      const results = rig.results();
      expect(results.map((line) => line.custom_id)).toEqual(Array.from({ length: 300 }, (_, i) => `c-${i}`));
      expect(results[4]?.response?.body.choices[0]?.message.content).toBe("echo: call calculate on 4 + 1");
      expect(results[9]).toMatchObject({ response: null, error: { code: "provider_rejected" }, costNanoUsd: 0 });
      expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
      expect(rig.tables.job().cost_nano_usd).toBe(rig.core.spentNanoUsd);
      expect(rig.core.settled.size).toBe(300);
      expect(rig.api.books()).toHaveLength(1);
    }),
  );

  test(
    "is not submitted twice when the answer to its submission is lost",
    story(async (rig) => {
      rig.api.script({ creations: ["lose_answer"] });
      rig.accept(5);
      await rig.alarm();
      rig.restart();
      await rig.untilOver();
      expect(rig.api.books().map(({ requests }) => requests)).toEqual([5]);
      expect(rig.api.asked).toContain("GET /batches");
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 5 });
    }),
  );

  test("leaves no file at the vendor, wherever its life is cut", async () => {
    for (let request = 0; request < 8; request++) {
      await story(async (rig) => {
        rig.accept(3);
        rig.death = { request, when: "after" };
        await rig.untilOver();
        expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 3 });
        expect(rig.api.inputs).toBe(0);
      })();
    }
  });

  test(
    "that the vendor refuses leaves no file there either",
    story(async (rig) => {
      rig.api.script({ creations: ["invalid_file"] });
      rig.accept(3);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "failed" });
      expect(rig.api.inputs).toBe(0);
    }),
  );

  test(
    "is submitted again when the vendor's list says that the first submission never arrived",
    story(async (rig) => {
      rig.api.script({ creations: ["lose_request"] });
      rig.accept(5);
      await rig.untilOver();
      expect(rig.api.books()).toHaveLength(1);
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 5 });
    }),
  );

  test.each(["before", "after"] as const)(
    "goes on when it dies right %s any of its requests, and submits, bills and loses nothing twice",
    { timeout: 60_000 },
    async (when) => {
      for (let request = 0; request < 9; request++) {
        await story(async (rig) => {
          rig.api.script({ processMs: 5_000, failEvery: 10 });
          rig.accept(20);
          rig.death = { request, when };
          await rig.untilOver();
          expect(rig.api.books().map((batch) => batch.requests)).toEqual([20]);
          expect(rig.results().map((line) => line.custom_id)).toEqual(Array.from({ length: 20 }, (_, i) => `c-${i}`));
          expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 18, failed: 2 });
          expect(rig.core.opened.size).toBe(20);
          expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
        })();
      }
    },
  );

  test(
    "asks the core again whose answers were lost, for the same calls",
    story(async (rig) => {
      rig.core.loseAnswers = 3;
      rig.accept(300);
      await rig.untilOver();
      expect(rig.core.opened.size).toBe(300);
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 300 });
      expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
    }),
  );

  test(
    "collects again what a broken download left out",
    story(async (rig) => {
      rig.api.script({ cutDownloads: 2 });
      rig.accept(50);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 50, failed: 0 });
      expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
    }),
  );

  test(
    "that expires there keeps what was done and bills nothing else",
    story(async (rig) => {
      rig.api.script({ expireAfter: 7 });
      rig.accept(20);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "expired", completed: 7, failed: 13 });
      expect(rig.results()[7]).toMatchObject({ error: { code: "deadline_exceeded" }, costNanoUsd: 0 });
      expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
      expect([...rig.core.settled.values()].filter(({ usage }) => usage === null)).toHaveLength(13);
    }),
  );

  test(
    "that the vendor never ends is cancelled there when its window has passed",
    story(async (rig) => {
      rig.api.script({ hold: true });
      rig.accept(10);
      await rig.untilOver(2_000);
      expect(rig.api.books()[0]?.status).toBe("cancelled");
      expect(rig.tables.job()).toMatchObject({ completed: 5, failed: 5 });
      expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
    }),
  );

  test(
    "cancelled in the middle keeps what the vendor had done",
    story(async (rig) => {
      rig.api.script({ hold: true });
      rig.accept(10);
      await rig.alarm();
      rig.clock.advance(10_000);
      await rig.alarm();
      expect(rig.tables.job().state).toBe("running");
      rig.tables.change({ state: "cancelling" }, rig.clock.now());
      rig.tables.hurry();
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "cancelled", completed: 5, failed: 5 });
      expect(rig.core.spentNanoUsd).toBe(billed(rig.api.books()));
      expect(rig.results()).toHaveLength(10);
    }),
  );

  test(
    "fails as a whole, unbilled, when the vendor refuses its file",
    story(async (rig) => {
      rig.api.script({ creations: ["invalid_file"] });
      rig.accept(3);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "failed", completed: 0, failed: 3 });
      expect(rig.tables.job().error).toContain("not parseable");
      expect(rig.core.spentNanoUsd).toBe(0);
    }),
  );

  test(
    "waits when too much waits at the vendor already, and when the vendor limits the rate",
    story(async (rig) => {
      rig.api.script({ creations: ["rate_limit", "token_limit"] });
      rig.accept(3);
      await rig.untilOver();
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 3 });
      expect(rig.api.books().map(({ status }) => status)).toEqual(["failed", "completed"]);
    }),
  );

  test(
    "goes in parts as far as a budget has room, and waits for the rest",
    story(async (rig) => {
      rig.core.room = 4;
      rig.accept(10);
      await rig.untilOver();
      expect(rig.api.books().map(({ requests }) => requests)).toEqual([4, 4, 2]);
      expect(rig.tables.job()).toMatchObject({ state: "completed", completed: 10, error: null });
    }),
  );

  test(
    "sends each model in a batch of its own, and Kimi's at six tenths of the price",
    story(async (rig) => {
      rig.accept(2);
      const messages = [{ role: "user" as const, content: "hello" }];
      rig.tables.put(2, { customId: "k", model: "kimi/kimi-k2.6", messages, tools: [], maxOutputTokens: 50 });
      rig.tables.change({ total: 3 }, rig.clock.now());
      await rig.untilOver();
      const [, other] = rig.api.books();
      expect(rig.api.books().map(({ requests }) => requests)).toEqual([2, 1]);
      expect(rig.results()[2]?.costNanoUsd).toBe(billed(other ? [other] : [], kimi.models["kimi-k2.6"]?.price, 0.6));
    }),
  );
});
