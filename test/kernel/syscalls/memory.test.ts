import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { Caller } from "./calling.ts";

describe("an agent's own memory", () => {
  test("keeps a note, finds it and reads it", async () => {
    const agent = new Caller();
    expect(await agent.call("memory_note", { content: "the key is under the mat" })).toEqual({
      ok: true,
      value: { pageIds: ["pg_0"] },
    });
    expect(await agent.call("memory_search", { query: "key" })).toEqual({
      ok: true,
      value: { items: [{ id: "pg_0", score: 1, tier: "hot", source: "", snippet: "the key is under the" }] },
    });
    expect(await agent.call("memory_read", { pageId: "pg_0" })).toEqual({
      ok: true,
      value: { pageId: "pg_0", source: "", fault: "minor", tokens: 6, content: "the key is under the mat" },
    });
  });

  test("weighs a note as it was told, or in the middle", async () => {
    const agent = new Caller();
    await agent.call("memory_note", { content: "a" });
    await agent.call("memory_note", { content: "b", importance: 1 });
    const weights = [...agent.memory.pages.values()].map((page) => page.importance);
    expect(weights).toEqual([LIMITS.importanceDefault, 1]);
  });

  test("answers as many pages as were asked for, ten by default", async () => {
    const agent = new Caller();
    for (let i = 0; i < 20; i++) await agent.call("memory_note", { content: `key ${i}` });
    const count = async (limit?: number) => {
      const found = await agent.call("memory_search", { query: "key", limit });
      return found.ok ? (found.value["items"] as unknown[]).length : found.error.code;
    };
    expect([await count(), await count(3)]).toEqual([LIMITS.searchDefault, 3]);
  });

  test("pins, unpins and forgets a page", async () => {
    const agent = new Caller();
    await agent.call("memory_note", { content: "a" });
    expect(await agent.call("memory_pin", { pageId: "pg_0" })).toMatchObject({
      value: { pageId: "pg_0", pinned: true },
    });
    expect(await agent.call("memory_unpin", { pageId: "pg_0" })).toMatchObject({ value: { pinned: false } });
    expect(await agent.call("memory_forget", { pageId: "pg_0" })).toMatchObject({
      value: { pageId: "pg_0", forgotten: true },
    });
    expect(agent.memory.pages.size).toBe(0);
  });

  test("says so when there is no such page", async () => {
    for (const name of ["memory_read", "memory_pin", "memory_unpin", "memory_forget"]) {
      expect(await new Caller().call(name, { pageId: "pg_9" }), name).toMatchObject({ error: { code: "not_found" } });
    }
  });
});
