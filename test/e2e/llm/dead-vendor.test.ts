import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import type { CostRow } from "../../../kernel/scheduler/costs.ts";
import { type BreakingServer, breakingServer, deadUrl } from "../../support/breaking-server.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/**
 * What calls to a vendor cost that is not there. workerd says the same of a refused connection and of one that broke while
 * the vendor was at work; from the second call on the kernel can tell them apart.
 */

const CALLS = 4;
const LANES = ["interactive", "batch"] as const;

let kernel: KernelProcess;
let client: KernelClient;
let server: BreakingServer | undefined;

afterEach(async () => {
  await kernel.dispose();
  server?.stop();
  server = undefined;
});

test.each(LANES)(
  "a vendor that refuses connections costs the first call of the %s lane, at its upper bound",
  async (lane) => {
    const bill = await billOf(await deadUrl(), lane);
    expect(bill.unknown).toBeGreaterThanOrEqual(1);
    // A machine that is busy for half a second may hide one more.
    expect(bill.unknown).toBeLessThanOrEqual(CALLS / 2);
  },
);

test("so does one that breaks connections off before it has the request", async () => {
  server = await breakingServer("in the body");
  const bill = await billOf(server.url, "interactive");
  expect(bill.unknown).toBeGreaterThanOrEqual(1);
  expect(bill.unknown).toBeLessThanOrEqual(CALLS / 2);
});

test("a call that may have been answered counts, each time", async () => {
  server = await breakingServer("after the request");
  const bill = await billOf(server.url, "interactive");
  expect(bill.unknown).toBe(bill.calls);
  expect(server.requests.length).toBeGreaterThanOrEqual(CALLS);
  expect(server.requests.every((head) => !/transfer-encoding/i.test(head))).toBe(true);
});

/** The bill of an agent that has called this vendor a few times. */
async function billOf(url: string, lane: (typeof LANES)[number]): Promise<CostRow> {
  kernel = await KernelProcess.start(undefined, { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: `${url}/v1` });
  client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  await client.agents.spawn({ name: "Caller", role: "caller", goal: "Call.", model: "openai/gpt-5.4-mini", lane });
  for (const end = Date.now() + 90_000; Date.now() < end; await sleep(100)) {
    const [row] = (await client.ledger.costs()).items;
    if (row !== undefined && row.calls >= CALLS) return row;
  }
  throw new Error("the agent does not call");
}
