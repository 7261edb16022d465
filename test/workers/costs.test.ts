import { beforeAll, describe, expect, test } from "vitest";
import type { CostRow } from "../../kernel/scheduler/costs.ts";
import { csv } from "../../workers/api/csv.ts";
import { boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";

/** The ledger by HTTP, as JSON and as a table. */

beforeAll(boot);

async function answered(): Promise<string> {
  const { id } = await spawnDaemon();
  await json(200, "POST", `/v1/agents/${id}/messages`, { body: { content: "call calculate on 2+2", wait: 20 } });
  return id;
}

async function table(path: string, headers: Record<string, string> = {}): Promise<{ lines: string[]; type: string }> {
  const response = await request("GET", path, { headers });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(response.headers.get("Content-Disposition")).toContain("attachment");
  return { lines: text.split("\r\n"), type: response.headers.get("Content-Type") ?? "" };
}

describe("the bill as a table", () => {
  test("is asked for by format or by the Accept header, and says what the JSON says", async () => {
    const id = await answered();
    const report = await json<{ items: CostRow[] }>(200, "GET", "/v1/costs");
    const row = report.items.find(({ key }) => key === id);
    const tables = [await table("/v1/costs?format=csv"), await table("/v1/costs", { Accept: "text/csv" })];
    for (const { lines, type } of tables) {
      expect(type).toBe("text/csv; charset=utf-8");
      expect(lines[0]).toBe(
        "key,calls,promptTokens,cachedTokens,completionTokens,reasoningTokens,costNanoUsd,costUsd,cacheHits,savedNanoUsd,unknown," +
          "platformRequests,platformRowsRead,platformRowsWritten,platformGbSeconds,platformCpuMs,platformR2ClassA,platformR2ClassB," +
          "platformQueueOperations,platformCostNanoUsd,platformCostUsd",
      );
      const { platform, ...sums } = row ?? { platform: null };
      expect(lines).toContain([...Object.values(sums), ...Object.values(platform ?? {})].join(","));
    }
    await problem(422, "invalid_input", "GET", "/v1/costs?format=xml");
    expect(await json(200, "GET", "/v1/costs?format=json", { headers: { Accept: "text/csv" } })).toEqual(report);
  });

  test("lists every call with its unit prices, page by page", async () => {
    const id = await answered();
    const path = `/v1/costs/calls?agentId=${id}`;
    const all = await json<{ items: { callId: string; price: { version: string } }[] }>(200, "GET", path);
    expect(all.items.length).toBeGreaterThan(1);
    expect(all.items[0]?.price.version).toBe("local-reader");
    const first = await request("GET", `${path}&limit=1&format=csv`);
    const lines = (await first.text()).split("\r\n");
    expect(lines[0]).toMatch(
      /^callId,agentId,.*,priceVersion,resumedFrom,restartedFrom,cache,savedNanoUsd,openedAt,settledAt$/,
    );
    expect(lines[1]).toContain(`${all.items[0]?.callId},${id},local,local/reader,`);
    const cursor = first.headers.get("X-Next-Cursor") ?? "";
    const next = await table(`${path}&limit=1&format=csv&cursor=${cursor}`);
    expect(next.lines[1]).toContain(all.items[1]?.callId);
    await problem(422, "invalid_input", "GET", "/v1/costs/calls?cursor=made-up");
  });
});

test("a cell that a spreadsheet would take for a formula, or that has a comma or a quote, stays text", () => {
  const rows = [
    { a: '=HYPERLINK("x")', b: null },
    { a: "one, two", b: 3 },
  ];
  expect(csv(["a", "b"], rows)).toBe('a,b\r\n"\'=HYPERLINK(""x"")",\r\n"one, two",3\r\n');
});
