import { createScheduledController } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import type { TrailReport } from "../../kernel/log/verification.ts";
import type { IssuedKey } from "../../workers/api/registry/keys.ts";
import worker from "../../workers/index.ts";
import { bindings, boot, json, request, spawnDaemon } from "./kernel-client.ts";
import { newKey, newTenant } from "./key-holders.ts";

interface Entry {
  action: string;
  actor: string;
  target: string | null;
  decision: string;
  reason: string | null;
  data: Record<string, unknown>;
}

async function trail(tenant: string, query = ""): Promise<Entry[]> {
  return (await json<{ items: Entry[] }>(200, "GET", `/v1/audit?limit=200${query}`, { tenant })).items;
}

let tenant: string;

beforeAll(async () => {
  boot();
  bindings.AOS_AUDIT_KEY = "a passphrase that only these tests know";
  tenant = await newTenant("audited");
});

describe("the audit trail of a tenant", () => {
  test("has whoever changed something, what, and whether it was allowed", async () => {
    const { id: keyId } = await json<IssuedKey>(201, "POST", "/v1/keys", {
      body: { role: "viewer", tenantId: tenant },
    });
    await json(200, "PUT", "/v1/quotas", { tenant, body: { tokens: 1_000 } });
    await json(200, "PUT", "/v1/quotas", { tenant, body: { tokens: 2_000 } });
    const entries = await trail(tenant);
    expect(entries.find(({ action }) => action === "key.create")).toMatchObject({ target: keyId, decision: "allowed" });
    expect(entries.findLast(({ action }) => action === "quota.set")?.data).toMatchObject({
      before: { tokens: { limit: 1_000 } },
      quotas: { tokens: 2_000 },
    });
  });

  test("has requests that were refused, and of many their number", async () => {
    const viewer = await newKey("viewer", tenant);
    for (let n = 0; n < 13; n++)
      expect((await request("PUT", "/v1/quotas", { key: viewer.key, body: {} })).status).toBe(403);
    expect((await request("GET", "/v1/keys", { key: viewer.key })).status).toBe(403);
    const denied = await trail(tenant, "&action=request.denied");
    // A minute may have turned in between.
    expect(denied.length).toBeGreaterThanOrEqual(10);
    expect(denied.length).toBeLessThanOrEqual(13);
    for (const entry of denied) {
      expect(entry).toMatchObject({ actor: `key:${viewer.id}`, target: "PUT /v1/quotas", decision: "denied" });
      expect(entry.reason).toContain("admin");
    }
  });

  test("has what a patch changed, as it was and as it is", async () => {
    const { id } = await spawnDaemon({}, tenant);
    await json(200, "PATCH", `/v1/agents/${id}`, { tenant, body: { priority: 7, permissionLevel: "RESTRICTED" } });
    const [patch] = await trail(tenant, `&agentId=${id}&action=process.patch`);
    expect(patch?.data).toEqual({
      priority: 7,
      permissionLevel: "RESTRICTED",
      before: { priority: 50, permissionLevel: "STANDARD" },
    });
  });

  test("is exported as one file, and verified with its checkpoints", async () => {
    expect((await request("POST", "/v1/audit/checkpoints", { tenant })).status).toBe(204);
    const report = await json<TrailReport>(200, "GET", "/v1/audit/verify", { tenant });
    expect(report).toMatchObject({ ok: true, checkpoints: { count: 1, verified: 1 } });
    const file = await request("GET", "/v1/audit/export", { tenant });
    expect(file.headers.get("Content-Type")).toContain("application/jsonl");
    const lines = (await file.text()).trim().split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ export: { tenant, object: "core" } });
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ end: { seq: report.entries, hash: report.head } });
    expect(lines).toHaveLength(report.entries + 3);
    const key = await json(200, "GET", "/v1/audit/key", { tenant });
    expect(key).toEqual({ keyId: report.checkpoints.keyId, publicKey: null });
  });
});

describe("cron", () => {
  const hour = 3_600_000;
  const tick = (at: number) =>
    worker.scheduled(createScheduledController({ scheduledTime: new Date(at), cron: "* * * * *" }), bindings);

  test("keeps all segments for ever, or as long as the operator says", async () => {
    const segments = async () => (await bindings.PAGES.list({ prefix: `audit/${tenant}/core/` })).objects.length;
    const later = Math.ceil(Date.now() / hour) * hour + 48 * hour;
    await tick(later);
    expect(await segments()).toBeGreaterThan(0);
    bindings.AOS_AUDIT_RETENTION_DAYS = "1";
    await tick(later);
    expect(await segments()).toBe(0);
    delete bindings.AOS_AUDIT_RETENTION_DAYS;
    expect(await json<TrailReport>(200, "GET", "/v1/audit/verify", { tenant })).toMatchObject({ ok: true });
  });
});
