import { describe, expect, test } from "vitest";
import type { Denials, Grants, PermissionLevel } from "../../../kernel/process/spec.ts";
import { Sight } from "../../../kernel/security/sight.ts";
import { MemoryStorage } from "../../../kernel/storage/drivers/memory.ts";
import { Mounts } from "../../../kernel/storage/mounts.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";

/** What a process sees of its files: its level, its grants and its denials, judged by whole names. */

const bytes = new TextEncoder().encode("x");
const ALL = [
  "/shared/plan",
  "/shared/team/a",
  "/workspace/a",
  "/workspace/a!",
  "/workspace/a-b/c",
  "/workspace/a/b",
  "/workspace/a/b/c",
  "/workspace/a/d",
  "/workspace/ab",
  "/workspace/z",
];

function memory(): MemoryStorage {
  return new MemoryStorage({ clock: new TestClock(), hash: nodeHash });
}

async function given(paths: Grants["paths"], denied: Denials["paths"] = [], level: PermissionLevel = "FULL") {
  const mounts = new Mounts({ "/shared": memory(), "/workspace": memory() });
  for (const path of ALL) await mounts.put(path, bytes);
  return mounts.seenWith(new Sight(level, { paths }, { paths: denied }));
}

type Files = Awaited<ReturnType<typeof given>>;

async function listed(files: Files, prefix = "/", limit = 100): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 50; page++) {
    const list = await files.list(prefix, { limit, cursor });
    if (!list.ok) throw new Error(list.error.message);
    found.push(...list.value.items.map(({ path }) => path));
    if (list.value.nextCursor === null) return found;
    cursor = list.value.nextCursor;
    expect(found).toContain(cursor);
  }
  throw new Error("endless");
}

const code = async (answer: Promise<{ ok: boolean; error?: { code: string } }>) => {
  const { ok, error } = await answer;
  return ok ? "ok" : error?.code;
};

describe("paths that were granted", () => {
  test("are all that is seen, and by whole names: /workspace/ab is not in /workspace/a", async () => {
    const files = await given(["/workspace/a"]);
    expect(await listed(files)).toEqual(["/workspace/a", "/workspace/a/b", "/workspace/a/b/c", "/workspace/a/d"]);
    expect(await code(files.get("a/d"))).toBe("ok");
    expect(await code(files.get("/workspace/ab"))).toBe("not_found");
    expect(await code(files.get("/workspace/a/../ab"))).toBe("not_found");
    expect(await code(files.put("ab", bytes))).toBe("forbidden");
    expect(await code(files.delete("/shared/plan"))).toBe("forbidden");
  });

  test("are read and not written when they end in :ro, and the longest rule decides", async () => {
    const files = await given(["/workspace:ro", "/workspace/a", "/workspace/a/b:ro"]);
    const writes = async (path: string) => code(files.put(path, bytes));
    expect([await writes("z"), await writes("a/new"), await writes("a/b/c")]).toEqual(["forbidden", "ok", "forbidden"]);
    expect(await code(files.delete("z"))).toBe("forbidden");
    expect(await code(files.get("z"))).toBe("ok");
  });

  test("that are none show nothing", async () => {
    expect(await listed(await given([]))).toEqual([]);
  });
});

describe("paths that were denied", () => {
  test("are not there, whatever was granted", async () => {
    const files = await given(["/workspace"], ["/workspace/a"]);
    expect(await listed(files)).toEqual(["/workspace/a!", "/workspace/a-b/c", "/workspace/ab", "/workspace/z"]);
    expect(await code(files.get("a"))).toBe("not_found");
    expect(await code(files.get("a/b/c"))).toBe("not_found");
    expect(await code(files.put("a/new", bytes))).toBe("forbidden");
  });
});

describe("a level", () => {
  test("decides of its own files and of what is shared", async () => {
    const of = async (level: PermissionLevel) => {
      const files = await given(undefined, [], level);
      return [
        await code(files.put("z", bytes)),
        await code(files.get("/shared/plan")),
        await code(files.put("/shared/plan", bytes)),
        (await listed(files, "/shared/")).length,
      ];
    };
    expect(await of("RESTRICTED")).toEqual(["forbidden", "not_found", "forbidden", 0]);
    expect(await of("STANDARD")).toEqual(["ok", "ok", "forbidden", 2]);
    expect(await of("ADVANCED")).toEqual(["ok", "ok", "ok", 2]);
  });
});

describe("a listing", () => {
  test.each<[string[] | undefined, string[], PermissionLevel]>([
    [undefined, [], "FULL"],
    [undefined, [], "RESTRICTED"],
    [undefined, ["/workspace/a", "/shared/team"], "FULL"],
    [["/workspace/a", "/workspace/a-b", "/shared/team:ro", "/workspace/a/b"], ["/workspace/a/b"], "FULL"],
    [["/"], ["/workspace/a/b", "/workspace/a-b", "/workspace/z"], "FULL"],
    [["/workspace/z", "/workspace/a!"], [], "STANDARD"],
  ])("is what is seen, in order, whatever the page: %j without %j for %s", async (paths, denied, level) => {
    const files = await given(paths, denied, level);
    for (const prefix of ["/", "/workspace/", "/workspace/a", "/workspace/a/", "/shared/"]) {
      const seen: string[] = [];
      for (const path of ALL) if (path.startsWith(prefix) && (await files.get(path)).ok) seen.push(path);
      for (const limit of [1, 2, 3, 100]) expect(await listed(files, prefix, limit), prefix).toEqual(seen);
    }
  });
});
