import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { SqliteStorage } from "../../../kernel/storage/drivers/sqlite.ts";
import { BOUNDLESS, type Room } from "../../../kernel/storage/room.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";
import { onNewObject } from "./on-object.ts";

/** Earlier versions of files, on the real SQLite of an object. */

const A = "/workspace/a";
const utf8 = (text: string) => new TextEncoder().encode(text);
const storage = (sql: Sql, room: Room = BOUNDLESS) =>
  new SqliteStorage({ sql, clock: new TestClock(), hash: nodeHash }, room);
const kept = async (files: SqliteStorage, path = A) => {
  const versions = await files.versions(path);
  return versions.ok ? versions.value.map(({ version }) => version) : [];
};
const chunks = (sql: Sql) => sql.first<{ n: number }>("SELECT COUNT(*) AS n FROM file_chunks")?.n;

describe("earlier versions of a file", () => {
  test("are kept with their content, larger than one chunk too", () =>
    onNewObject(async (sql) => {
      const files = storage(sql);
      const large = new Uint8Array(LIMITS.fileChunkBytes + 5).fill(7);
      await files.put(A, large);
      await files.put(A, utf8("small"));
      await files.delete(A);
      const first = await files.getVersion(A, 1);
      expect(first.ok && [first.value.file.bytes, first.value.bytes.every((byte) => byte === 7)]).toEqual([
        large.length,
        true,
      ]);
      expect(await files.getVersion(A, 2)).toMatchObject({ ok: true, value: { bytes: utf8("small") } });
      expect(await files.getVersion(A, 3)).toMatchObject({ ok: false, error: { code: "not_found" } });
    }));

  test("are bounded in number, the oldest go first, and their contents with them", () =>
    onNewObject(async (sql) => {
      const files = storage(sql);
      for (let i = 1; i <= LIMITS.fileVersions + 5; i++) await files.put(A, utf8(String(i)));
      const newest = LIMITS.fileVersions + 4;
      expect(await kept(files)).toEqual(Array.from({ length: LIMITS.fileVersions }, (_, i) => newest - i));
      expect(chunks(sql)).toBe(LIMITS.fileVersions + 1);
    }));

  test("are bounded in bytes over all files", () =>
    onNewObject(async (sql) => {
      const files = storage(sql);
      const third = new Uint8Array(LIMITS.fileVersionBytes / 3 + 1);
      for (let i = 0; i < 3; i++) await files.put(A, third);
      await files.put("/workspace/b", third);
      await files.delete("/workspace/b");
      expect([await kept(files), await kept(files, "/workspace/b")]).toEqual([[2], [1]]);
    }));

  test("give way to files where a quota leaves no room, and never refuse a write", () =>
    onNewObject(async (sql) => {
      const quota: Room = { ...BOUNDLESS, freeFileBytes: () => 100 - files.stored().fileBytes };
      const files: SqliteStorage = storage(sql, quota);
      await files.put(A, new Uint8Array(40));
      await files.put(A, new Uint8Array(40));
      expect(await kept(files)).toEqual([1]);
      expect(await files.put("/workspace/b", new Uint8Array(50))).toMatchObject({ ok: true });
      expect([await kept(files), files.stored()]).toEqual([[], { files: 2, fileBytes: 90 }]);
    }));

  test("are kept in the transaction of the write: one that dies leaves all as it was", () =>
    onNewObject(async (sql) => {
      await storage(sql).put(A, utf8("first"));
      const dying: Sql = {
        ...sql,
        run: (statement, ...parameters) => {
          if (statement.startsWith("INSERT INTO file_chunks")) throw new Error("power is gone");
          return sql.run(statement, ...parameters);
        },
      };
      await expect(storage(dying).put(A, utf8("second"))).rejects.toThrow("power is gone");
      const files = storage(sql);
      expect(await kept(files)).toEqual([]);
      expect(await files.get(A)).toMatchObject({ ok: true, value: { bytes: utf8("first"), file: { version: 1 } } });
    }));
});
