import { expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ObjectStore } from "../../../kernel/ports.ts";
import { type Rig, withContext } from "./rig.ts";

/** Forgetting one page, and erasing an agent: nothing of them answers any more. */

const SECRET = "The smuggler Zebedee hid the zirconium under the stairs.";
/** More than SQLite keeps, in few words, so that indexing it takes no time. */
const FILLER = `${"z".repeat(250)}. `.repeat(Math.ceil((LIMITS.warmHighBytes * 1.1) / 252));

/** A real store, parts of which behave as told. */
function storeLike(objects: ObjectStore, parts: Partial<ObjectStore>): ObjectStore {
  return {
    put: (key, bytes) => objects.put(key, bytes),
    get: (key, range) => objects.get(key, range),
    delete: (keys) => objects.delete(keys),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    ...parts,
  };
}

function secret(context: ContextManager, pinned = false): string {
  return context.allocate({ content: SECRET, kind: "document", pinned })[0]?.id ?? "";
}

async function keysOf({ objects, owner }: Pick<Rig, "objects" | "owner">): Promise<string[]> {
  return (await objects.list(`${owner}/seg/`)).keys;
}

/** Whatever the context answers about everything that it knows. */
async function everythingSaid({ context, sql }: Rig): Promise<string> {
  const prompt = context.assemble([]);
  const found = await Promise.all(["zebedee", "smuggler zirconium stairs"].map((query) => context.search(query, 50)));
  const remembered = await context.memory.search("Zebedee zirconium", 50);
  const pages = sql.all("SELECT id, preview, content FROM pages WHERE content IS NULL OR length(content) < 1000");
  return JSON.stringify([context.list({ limit: LIMITS.pageListMax }), found, remembered, prompt, pages]);
}

async function expectForgotten(rig: Rig, id: string): Promise<void> {
  const said = await everythingSaid(rig);
  expect(said).not.toContain(id);
  expect(said).not.toMatch(/Zebedee|zirconium/);
  expect(rig.sql.all("SELECT term FROM page_terms WHERE term LIKE 'zircon%' OR term LIKE 'zebede%'")).toEqual([]);
  expect(rig.context.get(id)).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect(await rig.context.touch(id)).toMatchObject({ ok: false, error: { code: "not_found" } });
}

test("a warm page that is forgotten leaves list, search and demand paging", async () => {
  await withContext(async (rig) => {
    const id = secret(rig.context);
    expect(await everythingSaid(rig)).toContain("Zebedee");
    expect(rig.context.forget(id)).toEqual({ ok: true, value: null });
    await expectForgotten(rig, id);
    const paged = await rig.context.pageIn("Where is Zebedee's zirconium?", { tokens: 1_000, ms: 1_000 });
    expect(paged.pageIds).toEqual([]);
    expect(rig.context.warmBytes()).toBe(0);
  });
});

test("a hot page that is forgotten leaves the prompt, pinned or not", async () => {
  await withContext(async (rig) => {
    for (const pinned of [true, false]) {
      const id = secret(rig.context, pinned);
      await rig.context.touch(id);
      expect(JSON.stringify(rig.context.assemble([]))).toContain("Zebedee");
      rig.context.forget(id);
      await expectForgotten(rig, id);
      expect(rig.context.stats()).toMatchObject({ hotPages: 0, residentTokens: 0 });
    }
  });
});

test("an evicted page that is forgotten takes its line with it", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const [said] = context.appendMessage(SECRET, "user");
    while (!context.needsReclaim()) context.appendReply("The sea was calm and the harbour was empty. ".repeat(10));
    context.appendMessage("And now?", "user");
    await context.reclaim();
    expect(JSON.stringify(context.assemble([]))).toContain(`${said?.id} message: The smuggler Zebedee`);
    context.forget(said?.id ?? "");
    await expectForgotten(rig, said?.id ?? "");
  });
});

test("a cold page that is forgotten is found no more, and its neighbours in the segment are", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const id = secret(context);
    const [neighbour] = context.allocate({ content: "The lamp was lit at dusk.", kind: "document" });
    context.allocate({ content: FILLER, kind: "document" });
    await context.reclaim();
    expect(context.get(id)).toMatchObject({ value: { tier: "cold" } });
    context.forget(id);
    await expectForgotten(rig, id);
    expect(await context.peek(neighbour?.id ?? "")).toMatchObject({ value: { content: "The lamp was lit at dusk." } });
  });
});

test("a segment is deleted once its last page is forgotten, and not before", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    context.allocate({ content: FILLER, kind: "document" });
    await context.reclaim();
    const keys = await keysOf(rig);
    expect(keys.length).toBeGreaterThan(0);
    const cold = () => context.list({ limit: LIMITS.pageListMax, tier: "cold" }).items;
    for (let batch = cold(); batch.length > 1; batch = cold())
      for (const page of batch.slice(0, Math.max(1, batch.length - 1))) context.forget(page.id);
    await context.reclaim();
    const last = cold()[0];
    expect(context.catalogue()).toHaveLength(1);
    expect(await keysOf(rig)).toEqual(context.catalogue().map((segment) => segment.key));
    expect((await context.peek(last?.id ?? "")).ok).toBe(true);
    context.forget(last?.id ?? "");
    await context.reclaim();
    expect([await keysOf(rig), context.catalogue()]).toEqual([[], []]);
    expect(rig.notes.at(-1)?.kind).toBe("page.sweep");
  });
});

test("forgetting an exchange takes call and results, and the prompt stays well-formed", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    context.appendMessage("Look.", "user");
    const call = { id: "call_1", type: "function" as const, function: { name: "look", arguments: "{}" } };
    const [entry] = context.appendExchange([
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: SECRET },
    ]);
    context.appendReply("Seen.");
    context.forget(entry?.id ?? "");
    await expectForgotten(rig, entry?.id ?? "");
    const prompt = context.assemble([]);
    expect(prompt.ok && prompt.value.messages.map((message) => message.role)).toEqual(["system", "user", "assistant"]);
  });
});

test("a page forgotten while the store is read is not answered", async () => {
  await withContext(async (rig) => {
    const { context, again, objects } = rig;
    const id = secret(context);
    context.allocate({ content: FILLER, kind: "document" });
    await context.reclaim();
    const get: ObjectStore["get"] = async (key, range) => {
      const bytes = await objects.get(key, range);
      context.forget(id);
      return bytes;
    };
    const slow = again({}, storeLike(objects, { get }));
    expect(await slow.touch(id)).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(context.stats()).toMatchObject({ hotPages: 0, majorFaults: 0 });
  });
});

test("erasing deletes every object of its owner, and nothing of a neighbour whose name begins alike", async () => {
  await withContext(async (rig) => {
    const { context, again, objects, owner } = rig;
    const neighbour = `${owner}1`;
    await objects.put(`${neighbour}/seg/seg_other`, new Uint8Array(1));
    for (let i = 0; i < 25; i++) await objects.put(`${owner}/seg/seg_${i}`, new Uint8Array(1));
    context.allocate({ content: FILLER, kind: "document" });
    await context.reclaim();
    const list: ObjectStore["list"] = async (prefix) => {
      const { keys } = await objects.list(prefix);
      return { keys: keys.slice(0, 10), cursor: keys.length > 10 ? (keys[9] ?? null) : null };
    };
    const eraser = again({}, storeLike(objects, { list }));
    let batches = 0;
    while (!(await eraser.erase()).done && batches < LIMITS.eraseRounds) batches++;
    expect(batches).toBe(2);
    expect(await keysOf(rig)).toEqual([]);
    expect((await objects.list(`${neighbour}/`)).keys).toEqual([`${neighbour}/seg/seg_other`]);
    expect(await again().erase()).toEqual({ done: true });
  });
});
