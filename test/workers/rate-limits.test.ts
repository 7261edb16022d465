import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { KernelCore } from "../../durable-objects/core/kernel-core.ts";
import { RequestRates } from "../../durable-objects/core/request-rates.ts";
import { TestClock } from "../support/ports.ts";
import { boot, json, type Problem, request } from "./kernel-client.ts";
import { newKey, newTenant } from "./key-holders.ts";

beforeAll(boot);
afterEach(() => vi.restoreAllMocks());

const standing = ({ status, headers }: Response) => ({
  status,
  limit: headers.get("RateLimit-Limit"),
  remaining: headers.get("RateLimit-Remaining"),
  reset: headers.get("RateLimit-Reset"),
});

/** Waits until a minute has enough left for a story that counts within it. */
async function earlyInTheMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise((resolve) => setTimeout(resolve, left));
}

describe("a key with a limit", () => {
  test("is told where it stands, and is refused when the minute is spent", { timeout: 30_000 }, async () => {
    await earlyInTheMinute();
    const { key } = await newKey("viewer", await newTenant(), { requestsPerMinute: 2 });
    const first = standing(await request("GET", "/v1/agents", { key }));
    expect(first).toEqual({ status: 200, limit: "2", remaining: "1", reset: expect.stringMatching(/^\d+$/) });
    expect(Number(first.reset)).toBeLessThanOrEqual(60);
    expect(standing(await request("GET", "/v1/nothing", { key }))).toMatchObject({ status: 404, remaining: "0" });

    const refused = await request("GET", "/v1/agents", { key });
    expect(standing(refused)).toMatchObject({ status: 429, limit: "2", remaining: "0" });
    expect(refused.headers.get("Retry-After")).toBe(refused.headers.get("RateLimit-Reset"));
    expect(refused.headers.get("X-Request-Id")).toMatch(/^req_/);
    expect(await refused.json<Problem>()).toMatchObject({ code: "rate_limited", status: 429 });
  });

  test("does not spend what another key may", { timeout: 30_000 }, async () => {
    await earlyInTheMinute();
    const tenant = await newTenant();
    const [one, other] = [
      await newKey("viewer", tenant, { requestsPerMinute: 1 }),
      await newKey("viewer", tenant, { requestsPerMinute: 1 }),
    ];
    expect((await request("GET", "/v1/agents", { key: one.key })).status).toBe(200);
    expect((await request("GET", "/v1/agents", { key: one.key })).status).toBe(429);
    expect((await request("GET", "/v1/agents", { key: other.key })).status).toBe(200);
  });

  test("gets exactly as many as it may, also all at once", { timeout: 30_000 }, async () => {
    await earlyInTheMinute();
    const { key } = await newKey("viewer", await newTenant(), { requestsPerMinute: 7 });
    const replies = await Promise.all(Array.from({ length: 20 }, () => request("GET", "/v1/tools", { key })));
    expect(replies.filter(({ status }) => status === 200).length).toBe(7);
    expect(replies.filter(({ status }) => status === 429).length).toBe(13);
  });
});

describe("a tenant with a limit", () => {
  test("shares it among its keys; the bootstrap key does not count", { timeout: 30_000 }, async () => {
    await earlyInTheMinute();
    const tenant = await newTenant();
    await json(200, "PUT", "/v1/quotas", { tenant, body: { quotas: { requestsPerMinute: 2 } } });
    const [one, other] = [await newKey("viewer", tenant), await newKey("viewer", tenant)];
    expect(standing(await request("GET", "/v1/agents", { key: one.key }))).toMatchObject({ status: 200, limit: "2" });
    expect((await request("GET", "/v1/agents", { key: other.key })).status).toBe(200);
    expect((await request("GET", "/v1/agents", { key: one.key })).status).toBe(429);
    expect(standing(await request("GET", "/v1/agents", { tenant }))).toMatchObject({ status: 200, limit: null });
    const { quotas } = await json<{ quotas: object }>(200, "GET", "/v1/quotas", { tenant });
    expect(quotas).toEqual({ requestsPerMinute: { limit: 2, used: 2, reserved: 0, per: "minute" } });
  });
});

describe("a key without a limit", () => {
  test("costs no call to the core and has no such headers", async () => {
    const admit = vi.spyOn(KernelCore.prototype, "admit");
    const tenant = await newTenant();
    const [free, limited] = [await newKey("viewer", tenant), await newKey("viewer", tenant, { requestsPerMinute: 9 })];
    expect(standing(await request("GET", "/v1/tools", { key: free.key }))).toMatchObject({ status: 200, limit: null });
    expect(admit).not.toHaveBeenCalled();
    expect(standing(await request("GET", "/v1/tools", { key: limited.key }))).toMatchObject({ limit: "9" });
    expect(admit).toHaveBeenCalledExactlyOnceWith(limited.id, 9);
  });
});

describe("the counters", () => {
  test("begin anew with each minute", () => {
    const clock = new TestClock(30_000);
    const rates = new RequestRates(clock);
    const ask = () => rates.admit([{ subject: "key:a", limit: 1 }]);
    expect(ask()).toEqual({ admitted: true, limit: 1, remaining: 0, resetMs: 30_000 });
    expect(ask()).toMatchObject({ admitted: false, remaining: 0 });
    clock.advance(30_000);
    expect(ask()).toMatchObject({ admitted: true, resetMs: 60_000 });
  });

  test("name the tighter of two limits, and count nothing that one of them refuses", () => {
    const rates = new RequestRates(new TestClock(0));
    const limits = [
      { subject: "key:a", limit: 1 },
      { subject: "tenant", limit: 10 },
    ];
    expect(rates.admit(limits)).toMatchObject({ admitted: true, limit: 1, remaining: 0 });
    expect(rates.admit(limits)).toMatchObject({ admitted: false, limit: 1, remaining: 0 });
    expect(rates.count("tenant")).toBe(1);
  });

  test("say nothing when nobody limits", () => {
    expect(new RequestRates(new TestClock()).admit([])).toBeNull();
  });
});
