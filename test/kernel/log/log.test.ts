import { describe, expect, test } from "vitest";
import { Log } from "../../../kernel/log/log.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { Transactions } from "../../../kernel/transactions.ts";
import { onNewObject } from "../../support/on-object.ts";
import { nodeHash, TestClock } from "../../support/ports.ts";

function logOn(sql: Sql) {
  const clock = new TestClock();
  return { clock, log: new Log({ sql, clock, hash: nodeHash }) };
}

function tenEntries(sql: Sql): Log {
  const { log } = logOn(sql);
  for (let i = 1; i <= 10; i++) log.append("test.entry", "kernel", { i });
  return log;
}

describe("the log", () => {
  test("verifies as long as nobody touched it", () =>
    onNewObject("agent", (sql) => {
      const report = tenEntries(sql).verify();
      expect(report).toMatchObject({ ok: true, entries: 10 });
      expect(report.head).toMatch(/^[0-9a-f]{64}$/);
    }));

  test("of an empty object verifies with the genesis hash", () =>
    onNewObject("agent", (sql) => {
      expect(logOn(sql).log.verify()).toEqual({ ok: true, entries: 0, head: "0".repeat(64) });
    }));

  test.each([
    ["changed data", "UPDATE log SET data = '{\"i\":99}' WHERE seq = 4", 4],
    ["a changed actor", "UPDATE log SET actor = 'key:other' WHERE seq = 5", 5],
    ["a changed time", "UPDATE log SET at = at + 1 WHERE seq = 6", 6],
    ["a removed entry", "DELETE FROM log WHERE seq = 7", 7],
    ["a re-hashed entry", `UPDATE log SET hash = '${"a".repeat(64)}' WHERE seq = 8`, 8],
  ])("with %s is found out at the first entry that does not fit", (_what, edit, brokenAt) =>
    onNewObject("agent", (sql) => {
      tenEntries(sql);
      sql.run(edit);
      expect(logOn(sql).log.verify()).toMatchObject({ ok: false, brokenAt });
    }),
  );

  test("goes on from its end after its object was evicted", () =>
    onNewObject("agent", (sql) => {
      tenEntries(sql);
      const { log } = logOn(sql);
      expect(log.append("test.entry", "kernel", {}).seq).toBe(11);
      expect(log.verify()).toMatchObject({ ok: true, entries: 11 });
    }));

  test("keeps nothing of a transaction that was rolled back", () =>
    onNewObject("agent", (sql) => {
      const log = tenEntries(sql);
      const tx = new Transactions(sql);
      tx.onRollback(() => log.forgetHead());
      expect(() =>
        tx.run(() => {
          log.append("test.entry", "kernel", {});
          throw new Error("no");
        }),
      ).toThrow("no");
      log.append("test.entry", "kernel", {});
      expect(log.verify()).toMatchObject({ ok: true, entries: 11 });
    }));

  test("gives entries after a cursor, of one kind or family", () =>
    onNewObject("agent", (sql) => {
      const { log } = logOn(sql);
      for (const kind of ["agent.spawn", "agent.erase", "approval.answer"]) log.append(kind, "kernel", {});
      const family = log.page(10, 0, { kind: "agent.", from: 0 });
      expect(family.items.map((entry) => entry.kind)).toEqual(["agent.spawn", "agent.erase"]);
      const first = log.page(1, 0, { from: 0 });
      expect(log.page(10, Number(first.nextCursor), { from: 0 }).items).toHaveLength(2);
    }));
});
