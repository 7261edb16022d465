import { describe, expect, test } from "vitest";
import type { Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { FileEntry, StorageDriver } from "../../kernel/storage/driver.ts";
import { nodeHash, SeededRandom, type TestClock } from "../support/ports.ts";

/** What every storage driver must do. A driver's test file calls this with a way to run a story on an empty driver. */

/** Runs `story` on a new, empty driver that reads `clock`. */
export type OnEmptyDriver = (story: (driver: StorageDriver, clock: TestClock) => Promise<void>) => Promise<void>;

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

function codeOf(result: Result<unknown>): string {
  return result.ok ? "ok" : result.error.code;
}

async function write(driver: StorageDriver, paths: string[]): Promise<void> {
  for (const path of paths) must(await driver.put(path, utf8(path)));
}

/** All paths under `prefix`, page by page. Ends even when a cursor does not move. */
async function listAll(driver: StorageDriver, prefix: string, limit: number): Promise<string[]> {
  const paths: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 100; page++) {
    const listed = must(await driver.list(prefix, { limit, cursor }));
    expect(listed.items.length).toBeLessThanOrEqual(limit);
    paths.push(...listed.items.map((file) => file.path));
    if (listed.nextCursor === null) return paths;
    cursor = listed.nextCursor;
  }
  throw new Error("the listing does not end");
}

function readsAndWrites(onEmpty: OnEmptyDriver): void {
  test("gives back what was put, with its size, hash, version and time", () =>
    onEmpty(async (driver, clock) => {
      clock.advance(1_500);
      const put = must(await driver.put("/workspace/a.txt", utf8("héllo")));
      const expected: FileEntry = {
        path: "/workspace/a.txt",
        version: 1,
        bytes: 6,
        sha256: nodeHash.sha256("héllo"),
        updatedAt: "2026-01-01T00:00:01.500Z",
      };
      expect(put).toEqual(expected);
      const got = must(await driver.get("/workspace/a.txt"));
      expect(got.file).toEqual(expected);
      expect(text(got.bytes)).toBe("héllo");
    }));

  test("says not_found for a file that is not there", () =>
    onEmpty(async (driver) => {
      expect(codeOf(await driver.get("/workspace/none"))).toBe("not_found");
      expect(codeOf(await driver.delete("/workspace/none"))).toBe("not_found");
    }));

  test("holds an empty file", () =>
    onEmpty(async (driver) => {
      must(await driver.put("/workspace/full", utf8("something")));
      must(await driver.put("/workspace/full", new Uint8Array()));
      const got = must(await driver.get("/workspace/full"));
      expect(got.bytes).toEqual(new Uint8Array());
      expect(got.file).toMatchObject({ bytes: 0, version: 2, sha256: nodeHash.sha256("") });
    }));

  test("holds 5 MB byte for byte, and shows any part of it", () =>
    onEmpty(async (driver) => {
      const bytes = new Uint8Array(5_000_001);
      for (let i = 0; i < bytes.length; i += 1_000) bytes.set(utf8(`${i}`), Math.min(i, bytes.length - 7));
      const put = must(await driver.put("/workspace/big", bytes));
      expect(put).toMatchObject({ bytes: bytes.length, sha256: nodeHash.sha256(bytes) });
      const got = must(await driver.get("/workspace/big"));
      expect(nodeHash.sha256(got.bytes)).toBe(put.sha256);
      const edge = LIMITS.fileChunkBytes;
      for (const [offset, length] of [
        [0, 3],
        [edge - 1, 2],
        [edge, edge],
        [4_999_999, 100],
        [9_999_999, 1],
        [5, 0],
      ] as const) {
        const part = must(await driver.get("/workspace/big", { offset, length }));
        expect(nodeHash.sha256(part.bytes), `${offset}+${length}`).toBe(
          nodeHash.sha256(bytes.subarray(offset, offset + length)),
        );
        expect(part.file).toEqual(put);
      }
    }));

  test("leaves nothing of a long file behind a short one", () =>
    onEmpty(async (driver) => {
      must(await driver.put("/workspace/a", new Uint8Array(3 * LIMITS.fileChunkBytes)));
      must(await driver.put("/workspace/a", utf8("short")));
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("short");
    }));

  test("refuses a file over the limit and keeps the old one", () =>
    onEmpty(async (driver) => {
      must(await driver.put("/workspace/a", utf8("old")));
      expect(codeOf(await driver.put("/workspace/a", new Uint8Array(LIMITS.fileBytes + 1)))).toBe("too_large");
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("old");
    }));

  test("keeps its own copy of the bytes", () =>
    onEmpty(async (driver) => {
      const bytes = utf8("before");
      must(await driver.put("/workspace/a", bytes));
      bytes.fill(0);
      must(await driver.get("/workspace/a")).bytes.fill(0);
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("before");
    }));

  test("takes a view into a larger buffer for what it shows", () =>
    onEmpty(async (driver) => {
      must(await driver.put("/workspace/a", utf8("xxhelloxx").subarray(2, 7)));
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("hello");
    }));

  test("deletes, and goes on counting when the file comes again", () =>
    onEmpty(async (driver) => {
      await write(driver, ["/workspace/a", "/workspace/a", "/workspace/ab"]);
      must(await driver.delete("/workspace/a"));
      expect(codeOf(await driver.get("/workspace/a"))).toBe("not_found");
      expect(await listAll(driver, "/workspace/", 10)).toEqual(["/workspace/ab"]);
      expect(must(await driver.put("/workspace/a", utf8("new"))).version).toBe(3);
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("new");
    }));
}

function versions(onEmpty: OnEmptyDriver): void {
  test("counts versions, and writes over the expected one only", () =>
    onEmpty(async (driver) => {
      expect(must(await driver.put("/workspace/a", utf8("1"), { ifVersion: 0 })).version).toBe(1);
      expect(must(await driver.put("/workspace/a", utf8("2"), { ifVersion: 1 })).version).toBe(2);
      expect(must(await driver.put("/workspace/a", utf8("3"))).version).toBe(3);
      for (const ifVersion of [0, 1, 2, 4]) {
        expect(codeOf(await driver.put("/workspace/a", utf8("no"), { ifVersion }))).toBe("version_conflict");
      }
      expect(codeOf(await driver.put("/workspace/b", utf8("no"), { ifVersion: 1 }))).toBe("version_conflict");
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("3");
    }));

  test("lets exactly one of ten writers that expect the same version win", () =>
    onEmpty(async (driver) => {
      const writers = Array.from({ length: 10 }, (_, i) =>
        driver.put("/workspace/a", utf8(String(i)), { ifVersion: 0 }),
      );
      const codes = (await Promise.all(writers)).map(codeOf);
      expect(codes.filter((code) => code === "ok")).toHaveLength(1);
      expect(codes.filter((code) => code === "version_conflict")).toHaveLength(9);
    }));
}

function keys(onEmpty: OnEmptyDriver): void {
  test("answers a repeat with the same key as the first time and changes nothing", () =>
    onEmpty(async (driver, clock) => {
      const first = must(await driver.put("/workspace/a", utf8("1"), { key: "call_1", ifVersion: 0 }));
      clock.advance(1_000);
      expect(must(await driver.put("/workspace/a", utf8("1"), { key: "call_1", ifVersion: 0 }))).toEqual(first);
      expect(must(await driver.get("/workspace/a")).file).toEqual(first);
    }));

  test("does so even after others changed or deleted the file", () =>
    onEmpty(async (driver) => {
      const first = must(await driver.put("/workspace/a", utf8("mine"), { key: "call_1" }));
      must(await driver.put("/workspace/a", utf8("theirs"), { key: "call_2" }));
      expect(must(await driver.put("/workspace/a", utf8("mine"), { key: "call_1" }))).toEqual(first);
      expect(text(must(await driver.get("/workspace/a")).bytes)).toBe("theirs");
      must(await driver.delete("/workspace/a"));
      expect(must(await driver.put("/workspace/a", utf8("mine"), { key: "call_1" }))).toEqual(first);
      expect(codeOf(await driver.get("/workspace/a"))).toBe("not_found");
    }));

  test("deletes once for a key, and not what was written since", () =>
    onEmpty(async (driver) => {
      await write(driver, ["/workspace/a"]);
      must(await driver.delete("/workspace/a", { key: "call_1" }));
      must(await driver.delete("/workspace/a", { key: "call_1" }));
      await write(driver, ["/workspace/a"]);
      must(await driver.delete("/workspace/a", { key: "call_1" }));
      expect(codeOf(await driver.get("/workspace/a"))).toBe("ok");
    }));

  test("refuses a key that stood for another write", () =>
    onEmpty(async (driver) => {
      must(await driver.put("/workspace/a", utf8("1"), { key: "call_1" }));
      expect(codeOf(await driver.put("/workspace/a", utf8("2"), { key: "call_1" }))).toBe("idempotency_mismatch");
      expect(codeOf(await driver.put("/workspace/b", utf8("1"), { key: "call_1" }))).toBe("idempotency_mismatch");
      expect(codeOf(await driver.delete("/workspace/a", { key: "call_1" }))).toBe("idempotency_mismatch");
      expect(await listAll(driver, "/workspace/", 10)).toEqual(["/workspace/a"]);
    }));

  test("remembers no refused write", () =>
    onEmpty(async (driver) => {
      const put = () => driver.put("/workspace/a", utf8("1"), { key: "call_1", ifVersion: 1 });
      expect(codeOf(await put())).toBe("version_conflict");
      await write(driver, ["/workspace/a"]);
      expect(must(await put()).version).toBe(2);
    }));

  test("forgets the oldest keys, so that they take a bounded place", () =>
    onEmpty(async (driver) => {
      for (let i = 0; i <= LIMITS.fileWritesKept; i++) {
        must(await driver.put("/workspace/a", utf8("same"), { key: `call_${i}` }));
      }
      const version = LIMITS.fileWritesKept + 1;
      expect(must(await driver.put("/workspace/a", utf8("same"), { key: "call_1" })).version).toBe(2);
      expect(must(await driver.put("/workspace/a", utf8("same"), { key: "call_0" })).version).toBe(version + 1);
    }));
}

function listings(onEmpty: OnEmptyDriver): void {
  test("lists by prefix in the order of code points, page by page", () =>
    onEmpty(async (driver) => {
      const ordered = ["A", "Z", "a", "a/b", "aa", "z", "é", "中", "文", "\u{FFFD}", "😀", "😀/x"].map(
        (name) => `/workspace/${name}`,
      );
      await write(driver, [...ordered].reverse());
      for (const limit of [1, 2, 5, 12, 100]) {
        expect(await listAll(driver, "/workspace/", limit), `limit ${limit}`).toEqual(ordered);
      }
      expect(await listAll(driver, "/workspace/a", 2)).toEqual(["/workspace/a", "/workspace/a/b", "/workspace/aa"]);
      expect(await listAll(driver, "/workspace/😀", 1)).toEqual(["/workspace/😀", "/workspace/😀/x"]);
      expect(await listAll(driver, "/workspace/none", 5)).toEqual([]);
      expect(await listAll(driver, "", 5)).toEqual(ordered);
    }));

  test("takes every character of a prefix literally", () =>
    onEmpty(async (driver) => {
      const names = [
        "a_b",
        "axb",
        "a%b",
        "a*b",
        "a?b",
        "a[b",
        "a'b",
        'a"b',
        "A_b",
        "\u{10FFFF}a",
        "\u{10FFFF}\u{10FFFF}",
      ];
      await write(
        driver,
        names.map((name) => `/workspace/${name}`),
      );
      for (const name of names) {
        const prefix = name.startsWith("\u{10FFFF}") ? name : name.slice(0, 2);
        expect(await listAll(driver, `/workspace/${prefix}`, 3), prefix).toEqual([`/workspace/${name}`]);
      }
    }));

  test("goes on after a cursor whose file is gone, or that stands before the prefix", () =>
    onEmpty(async (driver) => {
      await write(driver, ["/workspace/a", "/workspace/b", "/workspace/c"]);
      must(await driver.delete("/workspace/b"));
      const after = must(await driver.list("/workspace/", { limit: 10, cursor: "/workspace/b" }));
      expect(after.items.map((file) => file.path)).toEqual(["/workspace/c"]);
      const before = must(await driver.list("/workspace/c", { limit: 10, cursor: "/a" }));
      expect(before.items.map((file) => file.path)).toEqual(["/workspace/c"]);
      const beyond = must(await driver.list("/workspace/a", { limit: 10, cursor: "/workspace/b" }));
      expect(beyond).toEqual({ items: [], nextCursor: null });
    }));

  test("answers at least one file and never more than its limit, whatever was asked", () =>
    onEmpty(async (driver) => {
      const paths = Array.from(
        { length: LIMITS.fileListMax + 1 },
        (_, i) => `/workspace/${String(i).padStart(4, "0")}`,
      );
      await write(driver, paths);
      const most = must(await driver.list("/workspace/", { limit: 1e9 }));
      expect(most.items).toHaveLength(LIMITS.fileListMax);
      expect(most.nextCursor).toBe(paths.at(-2));
      expect(must(await driver.list("/workspace/", { limit: -3.5 })).items).toHaveLength(1);
    }));
}

/** A thousand random acts, checked against a plain map. */
function model(onEmpty: OnEmptyDriver): void {
  test("agrees with a plain map after a thousand random acts", () =>
    onEmpty(async (driver) => {
      const random = new SeededRandom(7);
      const pick = (below: number) => (random.bytes(1)[0] ?? 0) % below;
      const truth = new Map<string, { version: number; content: string }>();
      const last = new Map<string, number>();
      for (let act = 0; act < 1_000; act++) {
        const path = `/workspace/${"abc"[pick(3)]}${pick(8)}`;
        const known = truth.get(path);
        if (pick(3) === 0) {
          expect(codeOf(await driver.delete(path))).toBe(known ? "ok" : "not_found");
          truth.delete(path);
          continue;
        }
        const ifVersion = pick(2) === 0 ? pick(3) : undefined;
        const put = await driver.put(path, utf8(String(act)), { ifVersion });
        const fits = ifVersion === undefined || ifVersion === (known?.version ?? 0);
        expect(codeOf(put)).toBe(fits ? "ok" : "version_conflict");
        if (!fits) continue;
        const version = (last.get(path) ?? 0) + 1;
        last.set(path, version);
        truth.set(path, { version, content: String(act) });
      }
      expect(await listAll(driver, "/workspace/", 7)).toEqual([...truth.keys()].sort());
      for (const [path, { version, content }] of truth) {
        const got = must(await driver.get(path));
        expect([got.file.version, text(got.bytes)]).toEqual([version, content]);
      }
    }));
}

export function storageDriverContract(name: string, onEmpty: OnEmptyDriver): void {
  describe(`a storage driver: ${name}`, () => {
    readsAndWrites(onEmpty);
    versions(onEmpty);
    keys(onEmpty);
    listings(onEmpty);
    model(onEmpty);
  });
}
