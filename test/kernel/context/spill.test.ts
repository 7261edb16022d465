import { expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import { segmentIndex } from "../../../kernel/context/segment.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ObjectStore } from "../../../kernel/ports.ts";
import { nodeHash } from "../../support/ports.ts";
import { type Rig, withContext } from "./rig.ts";

/** Pages on their way to the object store: what a crash, a broken store or a changed byte leaves of them. */

const LAMP = "The lamp was lit at dusk by the keeper of the tower.";

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

/** One page to follow, and enough others that it must be spilled. Its id. */
function fill(context: ContextManager): string {
  const [page] = context.allocate({ content: LAMP, kind: "document", source: "log.txt", importance: 0.7 });
  context.allocate({ content: FILLER, kind: "document" });
  return page?.id ?? "";
}

async function keysOf({ objects, owner }: Rig): Promise<string[]> {
  return (await objects.list(`${owner}/seg/`)).keys;
}

async function contentOf(context: ContextManager, id: string): Promise<string> {
  const page = await context.peek(id);
  return page.ok ? page.value.content : page.error.code;
}

async function allContents(context: ContextManager): Promise<string> {
  const contents: string[] = [];
  for (let cursor: string | undefined, round = 0; round < 1_000; round++) {
    const { items, nextCursor } = context.list({ limit: LIMITS.pageListMax, cursor });
    for (const item of items) contents.push(await contentOf(context, item.id));
    if (nextCursor === null) return contents.join("");
    cursor = nextCursor;
  }
  throw new Error("the page table has no end");
}

test("every spilled page reads back as it was, from segments of at most a megabyte and their index", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    fill(context);
    const { segments, spilled } = await context.reclaim();
    expect(spilled).toBeGreaterThan(500);
    expect((await allContents(context)) === LAMP + FILLER).toBe(true);
    const catalogue = context.catalogue();
    expect(catalogue.map((segment) => segment.segmentId).toSorted()).toEqual(segments.toSorted());
    expect((await keysOf(rig)).toSorted()).toEqual(catalogue.map((segment) => segment.key).toSorted());
    expect(catalogue.reduce((sum, segment) => sum + segment.pages, 0)).toBe(spilled);
  });
});

test("a segment names its pages itself, so that a lost page table can be laid again", async () => {
  await withContext(async ({ context, objects, sql }) => {
    const id = fill(context);
    await context.reclaim();
    const place = sql.first<{ segment_id: string }>("SELECT segment_id FROM pages WHERE id = ?", id);
    const segment = context.catalogue().find((row) => row.segmentId === place?.segment_id);
    const bytes = await objects.get(segment?.key ?? "");
    if (bytes === null) throw new Error("no segment");
    expect([bytes.length, nodeHash.sha256(bytes)]).toEqual([segment?.bytes, segment?.sha256]);
    const index = segmentIndex(bytes);
    expect(index).toHaveLength(segment?.pages ?? -1);
    const entry = index.find((page) => page.id === id);
    expect(entry).toMatchObject({ kind: "document", source: "log.txt", importance: 0.7, bytes: LAMP.length });
    const content = bytes.subarray(entry?.offset, (entry?.offset ?? 0) + (entry?.bytes ?? 0));
    expect(new TextDecoder().decode(content)).toBe(LAMP);
    expect(nodeHash.sha256(content)).toBe(entry?.sha256);
  });
});

test("a store that refuses to write loses nothing, and the next reclaim succeeds", async () => {
  await withContext(async (rig) => {
    const { context, again, objects, notes } = rig;
    const id = fill(context);
    let refusals = 2;
    const put: ObjectStore["put"] = async (key, bytes) => {
      if (refusals-- > 0) throw new Error("the store is away");
      await objects.put(key, bytes);
    };
    const shaky = again({}, storeLike(objects, { put }));
    for (let i = 0; i < 2; i++) {
      await expect(shaky.reclaim()).rejects.toThrow("the store is away");
      expect(shaky.stats()).toMatchObject({ coldPages: 0 });
      expect(await keysOf(rig)).toEqual([]);
    }
    expect(notes.filter((note) => note.kind === "page.segment" || note.kind === "page.spill")).toEqual([]);
    expect(await contentOf(shaky, id)).toBe(LAMP);
    expect((await shaky.reclaim()).spilled).toBeGreaterThan(0);
    expect((await allContents(shaky)) === LAMP + FILLER).toBe(true);
  });
});

test("a manager that dies between the object and the page table loses nothing, and its orphan is swept", async () => {
  await withContext(async (rig) => {
    const { context, again, objects, notes } = rig;
    const id = fill(context);
    const put: ObjectStore["put"] = async (key, bytes) => {
      await objects.put(key, bytes);
      throw new Error("died");
    };
    await expect(again({}, storeLike(objects, { put })).reclaim()).rejects.toThrow("died");
    const [orphan, ...others] = await keysOf(rig);
    expect([orphan?.startsWith(`${rig.owner}/seg/`), others]).toEqual([true, []]);

    const next = again();
    expect(next.catalogue()).toEqual([]);
    expect(await contentOf(next, id)).toBe(LAMP);
    await next.reclaim();
    const keys = await keysOf(rig);
    expect(keys).not.toContain(orphan);
    expect(keys.toSorted()).toEqual(
      next
        .catalogue()
        .map((segment) => segment.key)
        .toSorted(),
    );
    const swept = notes.find((note) => note.kind === "page.sweep")?.data["segmentIds"];
    expect(swept).toEqual([orphan?.split("/").at(-1)]);
    expect((await allContents(next)) === LAMP + FILLER).toBe(true);
  });
});

test("an orphan that could not be deleted is deleted by the reclaim after", async () => {
  await withContext(async (rig) => {
    const { context, again, objects } = rig;
    fill(context);
    const put: ObjectStore["put"] = async (key, bytes) => {
      await objects.put(key, bytes);
      throw new Error("died");
    };
    await expect(again({}, storeLike(objects, { put })).reclaim()).rejects.toThrow("died");
    const [orphan] = await keysOf(rig);
    const stuck = storeLike(objects, { delete: () => Promise.reject(new Error("the store is away")) });
    await expect(again({}, stuck).reclaim()).rejects.toThrow("the store is away");
    expect(await keysOf(rig)).toContain(orphan);
    await again().reclaim();
    expect(await keysOf(rig)).not.toContain(orphan);
  });
});

test("a page used or forgotten while its segment is written is neither lost nor brought back", async () => {
  await withContext(async ({ context, again, objects }) => {
    const [forgotten] = context.allocate({ content: "The mirror was cleaned.", kind: "document" });
    const [seen] = context.allocate({ content: "The ladder was mended.", kind: "document" });
    const used = fill(context);
    let during: () => Promise<unknown> = async () => {};
    const put: ObjectStore["put"] = async (key, bytes) => {
      await objects.put(key, bytes);
      await during();
    };
    const busy = again({}, storeLike(objects, { put }));
    during = async () => {
      during = async () => {};
      busy.forget(forgotten?.id ?? "");
      await busy.touch(used);
      await busy.read(seen?.id ?? "");
    };
    await busy.reclaim();
    expect(busy.get(forgotten?.id ?? "")).toMatchObject({ ok: false });
    expect(busy.get(used)).toMatchObject({ value: { tier: "hot" } });
    expect(busy.get(seen?.id ?? "")).toMatchObject({ value: { tier: "warm" } });
    expect(await contentOf(busy, used)).toBe(LAMP);
    expect((await allContents(busy)) === `The ladder was mended.${LAMP}${FILLER}`).toBe(true);
  });
});

test("two reclaims at once are one", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    fill(context);
    const [first, second] = await Promise.all([context.reclaim(), context.reclaim()]);
    expect(second).toEqual(first);
    expect(await keysOf(rig)).toHaveLength(first.segments.length);
  });
});

test("a page that went out, came back and goes out again is not written twice", async () => {
  await withContext(async (rig) => {
    const { context } = rig;
    const id = fill(context);
    await context.reclaim();
    await context.read(id);
    expect(context.get(id)).toMatchObject({ value: { tier: "warm" } });
    context.allocate({ content: FILLER, kind: "document" });
    for (let i = 0; i < 3 && context.needsReclaim(); i++) await context.reclaim();
    expect(context.get(id)).toMatchObject({ value: { tier: "cold" } });
    const written = await Promise.all(context.catalogue().map(async ({ key }) => (await rig.objects.get(key)) ?? null));
    const holding = written.filter((bytes) => bytes !== null && segmentIndex(bytes).some((page) => page.id === id));
    expect(holding).toHaveLength(1);
    expect(await contentOf(context, id)).toBe(LAMP);
  });
});

test("one changed byte in a segment is an error of its page and never an answer, and other pages still read", async () => {
  await withContext(async ({ context, objects, sql, again }) => {
    const id = fill(context);
    await context.reclaim();
    const place = sql.first<{ key: string; segment_offset: number; ordinal: number }>(
      "SELECT key, segment_offset, ordinal FROM pages JOIN segments ON segments.id = segment_id WHERE pages.id = ?",
      id,
    );
    const bytes = await objects.get(place?.key ?? "");
    if (bytes === null || place === undefined) throw new Error("no segment");
    bytes.set([(bytes[place.segment_offset + 20] ?? 0) ^ 1], place.segment_offset + 20);
    await objects.put(place.key, bytes);

    const fresh = again();
    const damaged = { ok: false, error: { code: "internal", message: expect.stringContaining("damaged") } };
    expect(await fresh.peek(id)).toMatchObject(damaged);
    expect(await fresh.touch(id)).toMatchObject(damaged);
    expect(await fresh.read(id)).toMatchObject(damaged);
    expect(await fresh.pageIn("lamp keeper tower", { tokens: 1_000, ms: 5_000 })).toMatchObject({ pageIds: [] });
    const wrong = new TextDecoder().decode(bytes.subarray(place.segment_offset, place.segment_offset + LAMP.length));
    expect(wrong).not.toBe(LAMP);
    expect(JSON.stringify(await fresh.search("lamp keeper tower", 5))).not.toContain(wrong);
    expect(fresh.get(id)).toMatchObject({ value: { tier: "cold" } });
    expect(fresh.stats()).toMatchObject({ minorFaults: 0, majorFaults: 0 });
    const neighbour = fresh.list({ limit: 1, cursor: String(place.ordinal), tier: "cold" }).items[0];
    expect((await fresh.peek(neighbour?.id ?? "")).ok).toBe(true);
  });
});

test("a segment that is gone or cut short is an error of its pages", async () => {
  await withContext(async ({ context, objects }) => {
    const id = fill(context);
    await context.reclaim();
    const keys = context.catalogue().map((segment) => segment.key);
    for (const key of keys) await objects.put(key, new Uint8Array(10));
    expect(await context.peek(id)).toMatchObject({ ok: false });
    await objects.delete(keys);
    expect(await context.touch(id)).toMatchObject({ ok: false, error: { code: "internal" } });
  });
});

test("a store that does not answer reads is `unavailable`, and the page is there when it answers again", async () => {
  await withContext(async ({ context, again, objects }) => {
    const id = fill(context);
    await context.reclaim();
    const silent = again({}, storeLike(objects, { get: () => Promise.reject(new Error("the store is away")) }));
    expect(await silent.touch(id)).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(await silent.pageIn("lamp keeper", { tokens: 1_000, ms: 1_000 })).toMatchObject({ pageIds: [] });
    expect(await context.touch(id)).toMatchObject({ ok: true, value: { fault: "major", page: { content: LAMP } } });
  });
});
