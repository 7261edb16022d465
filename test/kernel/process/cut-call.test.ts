import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import type { Prefill } from "../../../kernel/llm/chat.ts";
import { makeProviders } from "../../../kernel/llm/providers.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { continuationOf, PartialKeeper } from "../../../kernel/process/cut-call.ts";
import { MODEL_CALL, PendingCalls } from "../../../kernel/process/pending.ts";
import { onNewObject } from "../../support/on-object.ts";
import { TestClock } from "../../support/ports.ts";

/** What is written down of a reply while it arrives, and what the next call makes of it. */

const TICK_MS = 100;

function running(sql: Sql): PendingCalls {
  const pending = new PendingCalls(sql);
  pending.put({
    call_id: "call_a",
    name: MODEL_CALL,
    effect: "external",
    state: "running",
    message_id: "msg_1",
    step: 1,
    tool_call_id: null,
    position: 0,
    attempt: 1,
    fence: 1,
    input: "{}",
    outcome: null,
    started_at: 0,
    deadline_at: 0,
  });
  return pending;
}

function kept(pending: PendingCalls): Prefill | null {
  const outcome = pending.get("call_a")?.outcome ?? null;
  return outcome === null ? null : (JSON.parse(outcome) as Prefill);
}

describe("a reply that arrives", () => {
  test("is written down seldom: a short one never, the longest seven times, and never less than half of it", () =>
    onNewObject("agent", (sql) => {
      const clock = new TestClock();
      const pending = running(sql);
      const keeper = new PartialKeeper({ clock, pending }, "call_a");
      const writes = new Set<string>();
      let content = "";
      for (let atMs = TICK_MS; atMs <= LIMITS.modelCallMs; atMs += TICK_MS) {
        clock.advance(TICK_MS);
        content += "x";
        keeper.take({ content, reasoning: "because" });
        const now = kept(pending);
        if (atMs < LIMITS.partialFirstMs) expect(now).toBeNull();
        else expect((now?.content.length ?? 0) * 2).toBeGreaterThanOrEqual(content.length);
        if (now !== null) writes.add(now.content);
      }
      expect(writes.size).toBe(7);
    }));

  test("is kept up to a bound, and no character is cut in two", () =>
    onNewObject("agent", (sql) => {
      const clock = new TestClock();
      const pending = running(sql);
      const keeper = new PartialKeeper({ clock, pending }, "call_a");
      clock.advance(LIMITS.partialFirstMs);
      keeper.take({ content: `x${"🗼".repeat(LIMITS.partialChars)}`, reasoning: "" });
      const content = kept(pending)?.content ?? "";
      expect(content.length).toBe(LIMITS.partialChars - 1);
      expect(content.isWellFormed()).toBe(true);
    }));

  test("touches nothing once the call has ended", () =>
    onNewObject("agent", (sql) => {
      const clock = new TestClock();
      const pending = running(sql);
      const keeper = new PartialKeeper({ clock, pending }, "call_a");
      pending.done("call_a", '"the outcome"');
      clock.advance(LIMITS.partialFirstMs);
      keeper.take({ content: "late", reasoning: "" });
      expect(pending.get("call_a")?.outcome).toBe('"the outcome"');
    }));
});

describe("the call after one that a crash cut", () => {
  const info = (name: string) => {
    const env = { OPENAI_API_KEY: "k", KIMI_API_KEY: "k" };
    const found = makeProviders(env, () => Promise.reject(new Error("no network"))).get(name);
    if (!found.ok) throw new Error(found.error.message);
    return found.value.info;
  };
  const cut = { callId: "call_a", content: "Paris is", reasoning: "" };

  test("asks for the rest where the vendor goes on, and reserves for what it sends along", () => {
    const next = continuationOf(cut, info("kimi/kimi-k2.6"));
    expect(next).toMatchObject({ prefill: { content: "Paris is", reasoning: "" }, resumedFrom: "call_a" });
    expect(next.inputBound).toBeGreaterThan("Paris is".length);
    expect(next.restartedFrom).toBeUndefined();
  });

  test("starts over where the vendor does not, or where there is no text yet", () => {
    const thought = { ...cut, content: "", reasoning: "Hmm." };
    for (const next of [
      continuationOf(cut, info("openai/gpt-6-luna")),
      continuationOf(thought, info("kimi/kimi-k2.6")),
    ]) {
      expect(next).toEqual({ prefill: null, inputBound: 0, estimatedTokens: 0, restartedFrom: "call_a" });
    }
  });

  test("is like any other when nothing was cut", () => {
    expect(continuationOf(null, info("kimi/kimi-k2.6"))).toEqual({ prefill: null, inputBound: 0, estimatedTokens: 0 });
  });
});
