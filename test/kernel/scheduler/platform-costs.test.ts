import { expect, test } from "vitest";
import { withReported } from "../../../kernel/platform/platform-days.ts";
import { NO_USAGE } from "../../../kernel/platform/platform-usage.ts";
import type { Sql } from "../../../kernel/ports.ts";
import { type CostGroup, costsOf } from "../../../kernel/scheduler/costs.ts";
import { onNewObject } from "../../support/on-object.ts";

/** The platform's bill beside the ledger: by agent, subtree and day, from what processes reported. */

const ENTER = `INSERT INTO processes (id, name, state, priority, parent_id, block, platform, seq, vtime, changed)
  VALUES (?, 'a', 'ready', 50, ?, '{}', ?, 0, 0, 0)`;

/** A process that had written `first` rows on the first day of the year and one more on the second. */
function enter(sql: Sql, id: string, parentId: string | null, first: number): void {
  const kept = withReported(null, { ...NO_USAGE, rowsWritten: first }, "2026-01-01");
  sql.run(ENTER, id, parentId, withReported(kept, { ...NO_USAGE, rowsWritten: first + 1 }, "2026-01-02"));
}

const family = (tell: (sql: Sql) => void) => () =>
  onNewObject("core", (sql) => {
    enter(sql, "agt_1", null, 10);
    enter(sql, "agt_2", "agt_1", 20);
    sql.run(ENTER, "agt_3", "agt_2", null);
    tell(sql);
  });

function rows(sql: Sql, group: CostGroup, period: { from?: string; to?: string } = {}) {
  const { items, platform } = costsOf(sql, group, period);
  return { each: items.map((item) => [item.key, item.platform?.rowsWritten]), all: platform.rowsWritten };
}

test(
  "whoever took something has a row, also without a call; a subtree has what is below it; the total counts each once",
  family((sql) => {
    const own = [
      ["agt_1", 11],
      ["agt_2", 21],
    ];
    expect(rows(sql, "agent")).toEqual({ each: own, all: 32 });
    const below = [
      ["agt_1", 32],
      ["agt_2", 21],
    ];
    expect(rows(sql, "subtree")).toEqual({ each: below, all: 32 });
    expect(rows(sql, "model")).toEqual({ each: [], all: 32 });
    expect(costsOf(sql, "agent", {}).items[0]).toMatchObject({
      calls: 0,
      costUsd: "0.00",
      platform: { costUsd: "0.000011" },
    });
  }),
);

test(
  "a period counts the days that it touches",
  family((sql) => {
    const days = [
      ["2026-01-01", 30],
      ["2026-01-02", 2],
    ];
    expect(rows(sql, "day")).toEqual({ each: days, all: 32 });
    expect(rows(sql, "day", { from: "2026-01-01T23:00:00Z", to: "2026-01-02T00:00:00Z" })).toEqual({
      each: [["2026-01-01", 30]],
      all: 30,
    });
    expect(rows(sql, "agent", { from: "2026-01-02T12:00:00Z", to: "9999-12-31T23:59:59Z" })).toEqual({
      each: [
        ["agt_1", 1],
        ["agt_2", 1],
      ],
      all: 2,
    });
    expect(rows(sql, "agent", { to: "2025-01-01T00:00:00Z" })).toEqual({ each: [], all: 0 });
  }),
);
