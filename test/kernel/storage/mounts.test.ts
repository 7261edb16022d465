import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../../kernel/storage/drivers/memory.ts";
import { Mounts } from "../../../kernel/storage/mounts.ts";
import { storageDriverContract } from "../../contracts/storage-driver.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";

const bytes = new TextEncoder().encode("x");

function memory(): MemoryStorage {
  return new MemoryStorage({ clock: new TestClock(), hash: nodeHash });
}

describe("an agent's mounts", () => {
  test("lead every spelling of a path to the same file", async () => {
    const workspace = memory();
    const files = new Mounts({ "/workspace": workspace });
    await files.put("notes/../cafe\u0301.txt", bytes);
    for (const path of [
      "caf\u00e9.txt",
      "./cafe\u0301.txt",
      "/workspace/caf\u00e9.txt",
      "/workspace/a/../caf\u00e9.txt",
    ]) {
      expect(await files.get(path)).toMatchObject({ ok: true, value: { file: { path: "/workspace/caf\u00e9.txt" } } });
    }
    expect(await workspace.list("", { limit: 10 })).toMatchObject({ ok: true, value: { items: [{ version: 1 }] } });
  });

  test("say which mounts there are when a path is in none", async () => {
    const files = new Mounts({ "/workspace": memory() });
    const missing = {
      ok: false,
      error: { code: "not_found", message: "Nothing is mounted at /etc. Mounts: /workspace." },
    };
    expect(await files.get("/etc/passwd")).toEqual(missing);
    expect(await files.put("/etc/passwd", bytes)).toEqual(missing);
    expect(await files.delete("/etc/passwd")).toEqual(missing);
    expect(await files.list("/etc/", { limit: 1 })).toEqual(missing);
    expect(await files.get("/workspacex/a")).toMatchObject({ ok: false, error: { code: "not_found" } });
  });

  test("are no way out: a path that climbs is refused before any driver sees it", async () => {
    const shared = memory();
    const files = new Mounts({ "/workspace": memory(), "/shared": shared });
    await shared.put("/shared/secret", bytes);
    for (const path of ["../shared/secret", "/workspace/../shared/secret", "a/../../shared/secret"]) {
      expect(await files.get(path)).toMatchObject({ ok: false, error: { code: "invalid_input" } });
      expect(await files.list(path, { limit: 1 })).toMatchObject({ ok: false, error: { code: "invalid_input" } });
    }
  });

  test("read and write files, not folders", async () => {
    const files = new Mounts({ "/workspace": memory() });
    for (const path of ["docs/", "docs/.", ".", "/workspace"]) {
      expect(await files.put(path, bytes)).toMatchObject({ ok: false, error: { code: "invalid_input" } });
    }
  });

  test("list one folder, one mount, or all of them in order, page by page", async () => {
    const files = new Mounts({ "/shared": memory(), "/workspace": memory(), "/shared-more": memory() });
    const paths = ["/shared-more/c", "/shared/a", "/shared/b", "/workspace/d", "/workspace/docs/e"];
    for (const path of paths) await files.put(path, bytes);
    const list = async (prefix: string, limit: number) => {
      const found: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 20; page++) {
        const listed = await files.list(prefix, { limit, cursor });
        if (!listed.ok) return listed.error.code;
        expect(listed.value.items.length).toBeLessThanOrEqual(limit);
        found.push(...listed.value.items.map((file) => file.path));
        if (listed.value.nextCursor === null) return found;
        cursor = listed.value.nextCursor;
      }
      return "endless";
    };
    for (const limit of [1, 2, 3, 5, 6]) expect(await list("/", limit), `limit ${limit}`).toEqual(paths);
    expect(await list("/workspace", 1)).toEqual(["/workspace/d", "/workspace/docs/e"]);
    expect(await list("docs/", 1)).toEqual(["/workspace/docs/e"]);
  });
});

storageDriverContract("an agent's mounts over memory", async (story) => {
  const clock = new TestClock();
  const driver = new MemoryStorage({ clock, hash: nodeHash });
  const files = new Mounts({ "/workspace": driver });
  // The one difference: a caller of mounts lists a folder or `/`, never the empty prefix.
  const list: Mounts["list"] = (prefix, options) => files.list(prefix === "" ? "/" : prefix, options);
  await story(
    {
      name: files.name,
      get: files.get.bind(files),
      put: files.put.bind(files),
      delete: files.delete.bind(files),
      list,
    },
    clock,
  );
});
