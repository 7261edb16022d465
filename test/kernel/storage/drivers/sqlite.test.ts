import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../kernel/limits.ts";
import type { Sql } from "../../../../kernel/ports.ts";
import { SqliteStorage } from "../../../../kernel/storage/drivers/sqlite.ts";
import { storageDriverContract } from "../../../contracts/storage-driver.ts";
import { nodeHash, TestClock } from "../../../support/ports.ts";
import { onNewObject } from "../on-object.ts";

storageDriverContract("the object's SQLite", (story) =>
  onNewObject(async (sql) => {
    const clock = new TestClock();
    await story(new SqliteStorage({ sql, clock, hash: nodeHash }), clock);
  }),
);

const count = (sql: Sql, table: string) => sql.first<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)?.n;

describe("files in the object's SQLite", () => {
  test("survive the driver that wrote them, keys too", () =>
    onNewObject(async (sql) => {
      const ports = { sql, clock: new TestClock(), hash: nodeHash };
      const bytes = new TextEncoder().encode("kept");
      const put = await new SqliteStorage(ports).put("/workspace/a", bytes, { key: "call_1" });
      const later = new SqliteStorage(ports);
      expect(await later.put("/workspace/a", bytes, { key: "call_1" })).toEqual(put);
      expect(await later.get("/workspace/a")).toMatchObject({ ok: true, value: { bytes } });
    }));

  test("are written whole or not at all", () =>
    onNewObject(async (sql) => {
      const ports = { clock: new TestClock(), hash: nodeHash };
      await new SqliteStorage({ sql, ...ports }).put("/workspace/a", new Uint8Array(10));
      const dying: Sql = {
        ...sql,
        run: (statement, ...parameters) => {
          if (parameters.includes(2) && statement.includes("file_chunks")) throw new Error("power is gone");
          return sql.run(statement, ...parameters);
        },
      };
      const write = new SqliteStorage({ sql: dying, ...ports }).put(
        "/workspace/a",
        new Uint8Array(3 * LIMITS.fileChunkBytes),
      );
      await expect(write).rejects.toThrow("power is gone");
      expect(await new SqliteStorage({ sql, ...ports }).get("/workspace/a")).toMatchObject({
        ok: true,
        value: { file: { version: 1 }, bytes: new Uint8Array(10) },
      });
    }));

  test("leave a bounded number of versions, chunks and keys behind", () =>
    onNewObject(async (sql) => {
      const driver = new SqliteStorage({ sql, clock: new TestClock(), hash: nodeHash });
      for (let i = 0; i < LIMITS.fileWritesKept + 20; i++) {
        await driver.put("/workspace/a", new Uint8Array(2_000), { key: `call_${i}` });
      }
      expect([count(sql, "file_versions"), count(sql, "file_chunks")]).toEqual([
        LIMITS.fileVersions,
        LIMITS.fileVersions + 1,
      ]);
      expect(count(sql, "file_writes")).toBe(LIMITS.fileWritesKept);
      await driver.delete("/workspace/a");
      expect([count(sql, "file_chunks"), count(sql, "files")]).toEqual([LIMITS.fileVersions, 0]);
    }));

  test("whose chunks are missing are a bug, not a short file", () =>
    onNewObject(async (sql) => {
      const driver = new SqliteStorage({ sql, clock: new TestClock(), hash: nodeHash });
      await driver.put("/workspace/a", new Uint8Array(LIMITS.fileChunkBytes + 1));
      sql.run("DELETE FROM file_chunks WHERE position = ?", 1);
      await expect(driver.get("/workspace/a")).rejects.toThrow("bytes");
    }));

  test("read no more rows for a page of a long listing than the page has", () =>
    onNewObject(async (sql) => {
      const driver = new SqliteStorage({ sql, clock: new TestClock(), hash: nodeHash });
      for (let i = 0; i < 300; i++) await driver.put(`/workspace/${String(i).padStart(3, "0")}`, new Uint8Array());
      let rows = 0;
      const counted: Sql = {
        ...sql,
        all: (statement, ...parameters) => {
          const found = sql.all(statement, ...parameters);
          rows += found.length;
          return found as never;
        },
      };
      const listing = new SqliteStorage({ sql: counted, clock: new TestClock(), hash: nodeHash });
      await listing.list("/workspace/", { limit: 10, cursor: "/workspace/250" });
      expect(rows).toBe(11);
      const plan = sql.all<{ detail: string }>(
        "EXPLAIN QUERY PLAN SELECT path FROM files WHERE path > ? ORDER BY path LIMIT ?",
        "a",
        1,
      );
      expect(plan.map((step) => step.detail).join()).toMatch(/SEARCH files USING .*INDEX/);
    }));
});
