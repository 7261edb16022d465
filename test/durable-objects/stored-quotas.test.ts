import { describe, expect, test } from "vitest";
import type { ProcessSpec } from "../../kernel/process/spec.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** Quotas of what a process stores and of how many processes there are: refused in the act, with a word on what to do. */

const bytes = (length: number) => new Uint8Array(length);
const spent = (name: string) => ({
  ok: false,
  error: { code: "quota_exceeded", message: expect.stringContaining(`quotas.${name} raised`) },
});

function write(tenant: TestTenant, id: string, path: string, length: number) {
  return tenant.agent(id).writeFile(path, bytes(length), {}, "key:test");
}

async function warnings(tenant: TestTenant, id: string) {
  return value(await tenant.agent(id).audit({ limit: 10, action: "quota.warning" })).items.map(({ data }) => data);
}

describe("a process with a quota of files", () => {
  test("writes no more of them and no larger ones, over the API or by its tools", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ quotas: { files: 2, fileBytes: 100 } });
    value(await write(tenant, id, "a", 40));
    value(await write(tenant, id, "b", 10));
    expect(await write(tenant, id, "c", 1)).toMatchObject(spent("files"));
    expect(await write(tenant, id, "b", 61)).toMatchObject(spent("fileBytes"));
    value(await write(tenant, id, "b", 60));
    const { quotas } = await tenant.block(id);
    expect(quotas).toEqual({
      files: { limit: 2, used: 2, reserved: 0, per: "total" },
      fileBytes: { limit: 100, used: 100, reserved: 0, per: "total" },
    });
    await tenant.ask(id, 'call file_write {"path": "d", "content": "x"}');
    expect(value(await tenant.agent(id).audit({ limit: 50, action: "call.end" })).items).toContainEqual(
      expect.objectContaining({ data: expect.objectContaining({ name: "file_write", code: "quota_exceeded" }) }),
    );
    value(await tenant.agent(id).deleteFile("a", "key:test"));
    value(await write(tenant, id, "c", 40));
  });

  test("warns once at four fifths", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ quotas: { fileBytes: 100 } });
    value(await write(tenant, id, "a", 79));
    expect(await warnings(tenant, id)).toEqual([]);
    value(await write(tenant, id, "a", 80));
    value(await write(tenant, id, "a", 90));
    expect(await warnings(tenant, id)).toEqual([
      { subject: id, metric: "fileBytes", limit: 100, used: 80, per: "total" },
    ]);
  });
});

describe("a process with a quota of pages", () => {
  test("takes in nothing of what does not fit as a whole", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ quotas: { pages: 20, pageBytes: 40_000 } });
    const before = (await tenant.block(id)).quotas;
    const long = "A sentence of the harbour keeper. ".repeat(2_000);
    expect(await tenant.agent(id).addPages({ content: long }, "key:test")).toMatchObject(spent("pages"));
    expect((await tenant.block(id)).quotas).toEqual(before);
    expect(value(await tenant.agent(id).searchPages("harbour", 5)).items).toEqual([]);
    value(await tenant.agent(id).addPages({ content: "A short sentence of the harbour keeper." }, "key:test"));
    expect((await tenant.block(id)).quotas.pages?.used).toBe((before.pages?.used ?? 0) + 1);
  });

  test("waits when its own history has filled it, and goes on where it stood when it is raised", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ quotas: { pages: 1_000 } });
    const { used } = (await tenant.block(id)).quotas.pages ?? { used: 0 };
    // Room for the message, but not for the note, nor for the record of the call.
    value(await tenant.core.patch(id, { quotas: { pages: used + 1 } }, "key:test"));
    const message = await tenant.send(id, 'call memory_note {"content": "remember the tide"}');
    await tenant.until(id, (block) => block.waitReason === "quota");
    const ended = value(await tenant.agent(id).audit({ limit: 50, action: "call.end" })).items;
    expect(ended.map(({ data }) => data["code"])).toContain("quota_exceeded");
    const told = value(await tenant.agent(id).audit({ limit: 5, action: "quota.spent" })).items;
    expect(told).toMatchObject([{ data: { subject: id, metric: "pages", limit: used + 1 } }]);
    value(await tenant.core.patch(id, { quotas: { pages: used + 100 } }, "key:test"));
    expect((await tenant.ended(id, message)).state).toBe("answered");
  });
});

describe("the tenant's quota of files", () => {
  test("is one for all of its processes, as its core has counted them", async () => {
    const tenant = new TestTenant();
    const [one, other] = [await tenant.daemon(), await tenant.daemon()];
    value(await write(tenant, one, "a", 60));
    value(await tenant.core.setQuotas({ fileBytes: 100 }, "key:test"));
    const used = async () => value(await tenant.core.quotas()).quotas["fileBytes"]?.used;
    await eventually(used, (amount) => amount === 60);
    await tenant.ask(other, "call calculate on 6*7");
    expect(await write(tenant, other, "b", 41)).toMatchObject({
      error: { code: "quota_exceeded", message: expect.stringContaining("of tenant") },
    });
    value(await write(tenant, other, "b", 40));
    await eventually(used, (amount) => amount === 100);
    value(await tenant.core.erase(one, "key:test"));
    expect(await used()).toBe(40);
  });
});

describe("quotas of processes", () => {
  const child = (tenant: TestTenant, spec: Partial<ProcessSpec>) =>
    tenant.core.spawn(
      { name: "C", role: "r", goal: "Help", daemon: true, model: "local/reader", ...spec },
      { actor: "key:test" },
    );

  test("bound the children that live, and count one less when one ends", async () => {
    const tenant = new TestTenant();
    const parentId = await tenant.daemon({ quotas: { children: 1 } });
    const { id } = value(await child(tenant, { parentId }));
    expect(await child(tenant, { parentId })).toMatchObject(spent("children"));
    value(await tenant.agent(id).signal("KILL", "key:test"));
    await eventually(
      () => child(tenant, { parentId }),
      (born) => born.ok,
    );
  });

  test("bound how deep the tree below a process grows", async () => {
    const tenant = new TestTenant();
    const top = await tenant.daemon({ quotas: { depth: 1 } });
    const below = value(await child(tenant, { parentId: top })).id;
    expect(await child(tenant, { parentId: below })).toMatchObject(spent("depth"));
  });

  test("of the tenant bound all of its processes, and are shown", async () => {
    const tenant = new TestTenant();
    const top = await tenant.daemon();
    value(await tenant.core.setQuotas({ children: 2, depth: 2 }, "key:test"));
    const below = value(await child(tenant, { parentId: top })).id;
    expect(value(await tenant.core.quotas()).quotas).toMatchObject({ children: { used: 2 }, depth: { used: 2 } });
    expect(await child(tenant, {})).toMatchObject(spent("children"));
    value(await tenant.core.setQuotas({ depth: 2 }, "key:test"));
    expect(await child(tenant, { parentId: below })).toMatchObject(spent("depth"));
    const warned = value(await tenant.core.audit({ limit: 5, action: "quota.warning" })).items;
    expect(warned).toMatchObject([{ data: { subject: "tenant", metric: "children", limit: 2, used: 2 } }]);
  });
});

describe("the meters of the control block", () => {
  test("show what the core holds for a call that is under way, and what this hour has used", async () => {
    const tenant = new TestTenant();
    const steps = { limit: 100, per: "hour" } as const;
    const { id, quotas } = await tenant.spawn({ daemon: true, lane: "batch", quotas: { steps, tokens: 10_000_000 } });
    expect(quotas.steps).toEqual({ ...steps, used: 0, reserved: 0 });
    // Nobody reads the queue here: the call stays under way.
    const block = await tenant.until(id, ({ waitReason }) => waitReason === "llm");
    expect(block.quotas.steps).toEqual({ ...steps, used: 0, reserved: 1 });
    expect(block.quotas.tokens?.reserved).toBeGreaterThan(0);
  });

  test("count what the process used, and the event stream says so at four fifths", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ quotas: { steps: 5, requestsPerMinute: 60, wallMs: 3_600_000 } });
    await tenant.ask(id, "call calculate on 6*7");
    const { quotas, usage } = await tenant.until(id, (block) => block.quotas.steps?.used === block.usage.steps);
    expect(quotas.steps).toEqual({ limit: 5, used: usage.steps, reserved: 0, per: "total" });
    expect(quotas.requestsPerMinute?.per).toBe("minute");
    while ((await tenant.block(id)).usage.steps < 4) await tenant.ask(id, "What is the harbour?");
    const seen = await eventually(
      () => warnings(tenant, id),
      (all) => all.length > 0,
    );
    expect(seen).toEqual([{ metric: "steps", limit: 5, used: 4, per: "total" }]);
  });
});
