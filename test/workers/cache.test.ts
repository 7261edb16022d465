import { beforeAll, expect, test } from "vitest";
import type { CostRow } from "../../kernel/scheduler/costs.ts";
import { boot, type Call, json, request } from "./kernel-client.ts";

/** Replies that are given again, as a client sees them. The embedded model is deterministic, so its replies may be. */

beforeAll(() => boot());

const ASK = { model: "local/reader", messages: [{ role: "user", content: "Who are you?" }] };

async function ask(tenant: string, call: Call = {}): Promise<{ id: string; choices: unknown[] }> {
  return json(200, "POST", "/v1/chat/completions", { body: ASK, tenant, ...call });
}

/** The tenant's ledger, once it holds so many calls. */
async function ledger(tenant: string, calls: number): Promise<Pick<CostRow, "calls" | "cacheHits">> {
  const row = async () => (await json<{ items: CostRow[] }>(200, "GET", "/v1/costs", { tenant })).items[0];
  await expect.poll(async () => (await row())?.calls).toBe(calls);
  const { cacheHits = 0 } = (await row()) ?? {};
  return { calls, cacheHits };
}

test("the same request gets the same reply, and the ledger says so", async () => {
  const first = await ask("again");
  await ledger("again", 1);
  const second = await ask("again");
  expect(second.choices).toEqual(first.choices);
  expect(second.id).not.toBe(first.id);
  expect(await ledger("again", 2)).toEqual({ calls: 2, cacheHits: 1 });
});

test("another tenant's reply is never given", async () => {
  await ask("one");
  await ask("two");
  expect([await ledger("one", 1), await ledger("two", 1)]).toMatchObject([{ cacheHits: 0 }, { cacheHits: 0 }]);
});

test("a request may keep out of it", async () => {
  await ask("shy");
  await ledger("shy", 1);
  await ask("shy", { headers: { "X-AOS-Cache": "no" } });
  expect(await ledger("shy", 2)).toEqual({ calls: 2, cacheHits: 0 });
});

test("a purge ends every reply from before it, at once", async () => {
  await ask("purged");
  await ledger("purged", 1);
  expect((await request("DELETE", "/v1/cache", { tenant: "purged" })).status).toBe(204);
  await ask("purged");
  expect(await ledger("purged", 2)).toEqual({ calls: 2, cacheHits: 0 });
  await ask("purged");
  expect(await ledger("purged", 3)).toEqual({ calls: 3, cacheHits: 1 });
});

test("a hit costs no step of a budget", async () => {
  await json(200, "PUT", "/v1/quotas", { body: { quotas: { steps: 1 } }, tenant: "tight" });
  await ask("tight");
  await ledger("tight", 1);
  await ask("tight");
  expect(await ledger("tight", 2)).toEqual({ calls: 2, cacheHits: 1 });
});
