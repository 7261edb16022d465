import { expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import type { PageEntry } from "../../../kernel/context/page.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import { prose, type Rig, withContext } from "./rig.ts";

/** Where a page's content is, what it costs to get it, and how that is counted. */

const document = { kind: "document", source: "ledger.txt" } as const;

/** More than SQLite keeps, in few words, so that indexing it takes no time. */
const FILLER = `${"z".repeat(250)}. `.repeat(Math.ceil((LIMITS.warmHighBytes * 1.1) / 252));

/** The only page of a short text. */
function allocateOne(context: ContextManager, content: string): PageEntry {
  const [page, ...more] = context.allocate({ ...document, content });
  if (page === undefined || more.length > 0) throw new Error("that text is not one page");
  return page;
}

/** A page whose content is only in the object store. */
async function coldPage({ context }: Rig, content = "The lamp was lit at dusk."): Promise<PageEntry> {
  const page = allocateOne(context, content);
  context.allocate({ ...document, content: FILLER });
  await context.reclaim();
  expect(tierOf(context, page.id)).toBe("cold");
  return page;
}

function tierOf(context: ContextManager, id: string): string {
  const page = context.get(id);
  return page.ok ? page.value.tier : page.error.code;
}

async function faultOf(answer: ReturnType<ContextManager["touch"]>): Promise<string> {
  const touched = await answer;
  return touched.ok ? touched.value.fault : touched.error.code;
}

function promptText(context: ContextManager): string {
  const prompt = context.assemble([]);
  if (!prompt.ok) throw new Error(prompt.error.message);
  return JSON.stringify(prompt.value.messages);
}

test("what is allocated is warm: in SQLite, counted there, and not in the prompt", async () => {
  await withContext(({ context }) => {
    const page = allocateOne(context, "The lamp was lit at dusk.");
    expect(page).toMatchObject({ tier: "warm", kind: "document", source: "ledger.txt", bytes: 25, pinned: false });
    expect(context.stats()).toMatchObject({ hotPages: 0, warmPages: 1, coldPages: 0, residentTokens: 0 });
    expect(context.warmBytes()).toBe(25);
    expect(promptText(context)).not.toContain("The lamp was lit");
  });
});

test("touching a warm page is a minor fault, and touching it again is none", async () => {
  await withContext(async ({ context, notes }) => {
    const page = allocateOne(context, "The lamp was lit at dusk.");
    expect(await faultOf(context.touch(page.id))).toBe("minor");
    expect(tierOf(context, page.id)).toBe("hot");
    expect(promptText(context)).toContain("The lamp was lit at dusk.");
    expect(await faultOf(context.touch(page.id))).toBe("none");
    expect(context.stats()).toMatchObject({ hotPages: 1, minorFaults: 1, majorFaults: 0 });
    expect(context.stats().residentTokens).toBeGreaterThanOrEqual(page.tokens);
    expect(notes).toEqual([{ kind: "page.fault", data: { minor: 1, major: 0, pageIds: [page.id] } }]);
  });
});

test("touching a spilled page is a major fault, and brings back the bytes that left", async () => {
  await withContext(async (rig) => {
    const { context, notes } = rig;
    const page = await coldPage(rig, "守塔人在黄昏点亮了灯。🕯️ <page> \u0000 end");
    const touched = await context.touch(page.id);
    expect(touched).toMatchObject({
      ok: true,
      value: {
        fault: "major",
        page: { tier: "hot", sha256: page.sha256, content: "守塔人在黄昏点亮了灯。🕯️ <page> \u0000 end" },
      },
    });
    expect(context.stats()).toMatchObject({ minorFaults: 0, majorFaults: 1 });
    expect(notes.at(-1)).toEqual({ kind: "page.fault", data: { minor: 0, major: 1, pageIds: [page.id] } });
    expect(await faultOf(context.touch(page.id))).toBe("none");
  });
});

test("peeking at pages of all tiers changes no tier, no counter, no order of use and no log", async () => {
  await withContext(async (rig) => {
    const { context, sql, notes } = rig;
    const cold = await coldPage(rig);
    const warm = allocateOne(context, "The mirror was polished at noon.");
    const hot = allocateOne(context, "The ladder has ninety rungs.");
    await context.touch(hot.id);
    const state = () => JSON.stringify([sql.all("SELECT * FROM pages"), sql.all("SELECT * FROM context_state"), notes]);
    const before = state();
    for (const { id } of [cold, warm, hot]) expect((await context.peek(id)).ok).toBe(true);
    expect(await context.peek(cold.id)).toMatchObject({
      value: { tier: "cold", content: "The lamp was lit at dusk." },
    });
    expect(state() === before).toBe(true);
  });
});

test("searching changes nothing either", async () => {
  await withContext(async (rig) => {
    const { context, sql } = rig;
    await coldPage(rig);
    const state = () => JSON.stringify([sql.all("SELECT * FROM pages"), sql.all("SELECT * FROM context_state")]);
    const before = state();
    expect((await context.search("lamp dusk", 3)).length).toBeGreaterThan(0);
    expect(state() === before).toBe(true);
  });
});

test("what the model reads is counted and warm, and does not stand in the prompt as well", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const cold = await coldPage(rig);
    const warm = allocateOne(context, "The mirror was polished at noon.");
    expect(await faultOf(context.memory.touch(cold.id))).toBe("major");
    expect(await faultOf(context.memory.touch(warm.id))).toBe("minor");
    expect([tierOf(context, cold.id), tierOf(context, warm.id)]).toEqual(["warm", "warm"]);
    expect(context.stats()).toMatchObject({ hotPages: 0, minorFaults: 1, majorFaults: 1 });
    expect(promptText(context)).not.toMatch(/lit at dusk|polished/);
  });
});

test("demand paging brings in what the input asks for, within its tokens, and counts by tier", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const cold = await coldPage(rig, "The zeppelin landed in Friedrichshafen.");
    const warm = allocateOne(context, "The zeppelin burned in Lakehurst.");
    const paged = await context.pageIn("Where was the zeppelin?", { tokens: 1_000, ms: 5_000 });
    expect(paged).toMatchObject({ minor: 1, major: 1 });
    expect(new Set(paged.pageIds)).toEqual(new Set([cold.id, warm.id]));
    expect(context.stats()).toMatchObject({ hotPages: 2, minorFaults: 1, majorFaults: 1 });
  });
});

test("demand paging without tokens to spend brings in nothing", async () => {
  await withContext(async ({ context }) => {
    allocateOne(context, "The zeppelin burned in Lakehurst.");
    expect(await context.pageIn("zeppelin", { tokens: 3, ms: 5_000 })).toEqual({ minor: 0, major: 0, pageIds: [] });
  });
});

test("a page pinned while it is away enters the prompt with the next demand paging, and stays", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const page = await coldPage(rig);
    expect(context.patch(page.id, { pinned: true, importance: 0.9 })).toMatchObject({
      value: { pinned: true, importance: 0.9, tier: "cold" },
    });
    await context.pageIn("something else", { tokens: 1_000, ms: 5_000 });
    expect(promptText(context)).toContain("The lamp was lit at dusk.");
  });
});

test("the page table lists pages by ordinal, page after page, of one tier when asked", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const cold = await coldPage(rig);
    const warm = allocateOne(context, "The mirror was polished at noon.");
    const first = context.list({ limit: 1 });
    expect(first.items.map((item) => item.id)).toEqual([cold.id]);
    const rest = context.list({ limit: LIMITS.pageListMax, cursor: first.nextCursor ?? "" });
    expect(rest.items[0]?.ordinal).toBeGreaterThan(cold.ordinal);
    const tally = context.stats();
    let listed = 0;
    let last = "";
    for (let cursor: string | undefined, round = 0; round < 100; round++) {
      const page = context.list({ limit: 7, tier: "warm", cursor });
      listed += page.items.length;
      last = page.items.at(-1)?.id ?? last;
      expect(page.items.every((item) => item.tier === "warm")).toBe(true);
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect([listed, last]).toEqual([tally.warmPages, warm.id]);
  });
});

test("a page that nobody has is not found by any way of asking", async () => {
  await withContext(async ({ context }) => {
    const answers = [
      context.get("pg_none"),
      context.patch("pg_none", { pinned: true }),
      context.forget("pg_none"),
      await context.peek("pg_none"),
      await context.touch("pg_none"),
      await context.read("pg_none"),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ ok: false, error: { code: "not_found" } });
  });
});

test("five megabytes are pages after one transaction, none of their bytes lost", async () => {
  await withContext(async ({ context, sql }) => {
    const content = prose(80_000, "archive").slice(0, 5_000_000);
    const startedAt = performance.now();
    const pages = sql.transaction(() => context.allocate({ ...document, content }));
    console.log(`allocate 5 MB: ${pages.length} pages in ${(performance.now() - startedAt).toFixed(0)} ms`);
    expect(content.length).toBe(5_000_000);
    expect(pages.reduce((sum, page) => sum + page.bytes, 0)).toBe(5_000_000);
    expect(context.stats()).toMatchObject({ warmPages: pages.length, hotPages: 0 });
    expect(context.warmBytes()).toBe(5_000_000);
    expect(Math.max(...pages.map((page) => page.tokens))).toBeLessThanOrEqual(512);
    expect(pages.length).toBeLessThan(3_500);
    const joined = sql.all<{ content: string }>("SELECT content FROM pages ORDER BY ordinal").map((row) => row.content);
    expect(joined.join("") === content).toBe(true);
    expect((await context.peek(pages[1_000]?.id ?? "")).ok).toBe(true);
  });
});
