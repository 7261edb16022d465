import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { AgentOrders } from "../../durable-objects/agent/rpc.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { ProcessSpec, Quotas } from "../../kernel/process/spec.ts";
import { eventually, TestTenant, value } from "../support/tenant.ts";

/** CPU of the sandbox as a quota: held before a run, counted after it, once, whatever dies in between. */

const MOST_MS = LIMITS.codeGas * LIMITS.codeMsPerGas;
/** Room for one run, and after it for no other. */
const ONE_RUN = MOST_MS + 5;

const run = (code: string) => `call code_run with ${JSON.stringify({ code })}`;
/** Burns more milliseconds of gas than the five that are left after it. */
const BURN = run("let sum = 0; for (let i = 0; i < 400000; i++) sum += i; return 'burnt';");

function coder(tenant: TestTenant, spec: Partial<ProcessSpec> = {}): Promise<string> {
  return tenant.daemon({ permissionLevel: "ADVANCED", ...spec });
}

async function entries(tenant: TestTenant, id: string, action: string) {
  return value(await tenant.agent(id).audit({ limit: 20, action })).items.map(({ data }) => data);
}

const isShort = (block: ControlBlock) => block.state === "waiting" && block.waitReason === "quota";
const used = async (tenant: TestTenant, id: string) => (await tenant.block(id)).quotas.cpuMs?.used ?? 0;
const allow = (tenant: TestTenant, id: string, quotas: Quotas) => tenant.core.patch(id, { quotas }, "key:test");

/** A process whose second run waits for its quota. */
async function waiting(tenant: TestTenant, spec: Partial<ProcessSpec> = {}): Promise<{ id: string; message: string }> {
  const id = await coder(tenant, spec);
  await tenant.ask(id, BURN);
  const message = await tenant.send(id, BURN);
  await tenant.until(id, isShort);
  return { id, message };
}

/** The tables of a process that died in the run that waits: as the transaction before the run leaves them. */
async function dieInRun(tenant: TestTenant, id: string): Promise<void> {
  await runInDurableObject(tenant.stub(id), (_object, { storage }) => {
    const died = "UPDATE pending SET state = 'running', effect = 'idempotent', attempt = 1 WHERE name = 'code_run'";
    storage.sql.exec(died);
    storage.sql.exec("UPDATE process SET state = 'running', wait_reason = NULL");
  });
  await evictDurableObject(tenant.stub(id));
}

describe("a quota of CPU", () => {
  test("that is spent keeps a run until it is raised; then the run goes on where it stood, and no model is asked again", async () => {
    const tenant = new TestTenant();
    const { id, message } = await waiting(tenant, { quotas: { cpuMs: ONE_RUN } });
    const { quotas, usage } = await tenant.block(id);
    expect(quotas.cpuMs).toEqual({ limit: ONE_RUN, used: expect.any(Number), reserved: 0, per: "total" });
    const before = quotas.cpuMs?.used ?? 0;
    expect(before).toBeGreaterThan(5);
    expect(await entries(tenant, id, "quota.spent")).toMatchObject([
      { subject: id, metric: "cpuMs", limit: ONE_RUN, used: before, reserved: 0 },
    ]);
    value(await allow(tenant, id, { cpuMs: 2 * ONE_RUN }));
    expect((await tenant.ended(id, message)).reply).toContain("burnt");
    const after = await tenant.block(id);
    expect(after.quotas.cpuMs?.used).toBe(2 * before);
    // The step that had asked for the run, and the one that answers: none was made once more.
    expect(after.usage.steps).toBe(usage.steps + 1);
  });

  test("refuses nothing that is no run, and nothing that could not run anyway waits for it", async () => {
    const tenant = new TestTenant();
    const id = await coder(tenant, { quotas: { cpuMs: MOST_MS - 1 } });
    expect(await tenant.ask(id, "call calculate on 6*7")).toContain("42");
    expect(await tenant.ask(id, 'call code_run with {"code": 7}')).toContain("invalid_input");
    await tenant.send(id, BURN);
    await tenant.until(id, isShort);
    expect(value(await tenant.agent(id).signal("INT", "key:test")).state).toBe("waiting");
    expect(await used(tenant, id)).toBe(0);
  });

  test("counts what a run held that died, once, and runs it again only where there is room", async () => {
    const tenant = new TestTenant();
    const { id, message } = await waiting(tenant, { quotas: { cpuMs: ONE_RUN } });
    const before = await used(tenant, id);
    await dieInRun(tenant, id);
    expect((await tenant.block(id)).quotas.cpuMs).toMatchObject({ used: before, reserved: MOST_MS });
    await (tenant.stub(id) as unknown as AgentOrders).run();
    await tenant.until(id, isShort);
    expect((await tenant.block(id)).quotas.cpuMs).toMatchObject({ used: before + MOST_MS, reserved: 0 });
    await evictDurableObject(tenant.stub(id));
    expect(await used(tenant, id)).toBe(before + MOST_MS);
    expect(await entries(tenant, id, "cpu.unknown")).toEqual([{ cpuMs: MOST_MS }]);
    value(await allow(tenant, id, { cpuMs: before + 2 * MOST_MS }));
    expect((await tenant.ended(id, message)).reply).toContain("burnt");
    expect(await used(tenant, id)).toBe(2 * before + MOST_MS);
  });

  test("counts what a run held whose process is killed meanwhile", async () => {
    const tenant = new TestTenant();
    const { id } = await waiting(tenant, { quotas: { cpuMs: ONE_RUN } });
    const before = await used(tenant, id);
    await dieInRun(tenant, id);
    value(await tenant.agent(id).signal("KILL", "key:test"));
    expect((await tenant.block(id)).quotas.cpuMs).toMatchObject({ used: before + MOST_MS, reserved: 0 });
  });

  test("warns once at four fifths", async () => {
    const tenant = new TestTenant();
    const id = await coder(tenant, { quotas: { cpuMs: 2_000 } });
    await tenant.ask(id, BURN);
    const each = await used(tenant, id);
    value(await allow(tenant, id, { cpuMs: MOST_MS + each }));
    expect(await entries(tenant, id, "quota.warning")).toEqual([]);
    await tenant.ask(id, run("for (;;) {}"));
    const told = await eventually(
      () => entries(tenant, id, "quota.warning"),
      ({ length }) => length > 0,
    );
    expect(told).toMatchObject([{ metric: "cpuMs", limit: MOST_MS + each, used: MOST_MS + each }]);
  });

  test("of a parent is one for all below it: raising it lets a child's run go on", async () => {
    const tenant = new TestTenant();
    const parentId = await coder(tenant, { quotas: { cpuMs: ONE_RUN } });
    const { id, message } = await waiting(tenant, { parentId });
    const [spent] = await entries(tenant, id, "quota.spent");
    expect(spent).toMatchObject({ subject: parentId, metric: "cpuMs", limit: ONE_RUN });
    value(await allow(tenant, parentId, { cpuMs: 3 * ONE_RUN }));
    expect((await tenant.ended(id, message)).reply).toContain("burnt");
    await tenant.ask(parentId, "call calculate on 6*7");
    await eventually(
      () => used(tenant, parentId),
      (ms) => ms === 2 * Number(spent?.["used"]),
    );
  });

  test("of the tenant is one for all of its processes, with what they used before it was set", async () => {
    const tenant = new TestTenant();
    const [one, other] = [await coder(tenant), await coder(tenant)];
    await tenant.ask(one, BURN);
    await tenant.until(one, (block) => block.waitReason === "message");
    value(await tenant.core.setQuotas({ cpuMs: { limit: ONE_RUN, per: "total" } }, "key:test"));
    const tenantUsed = async () => value(await tenant.core.quotas()).quotas["cpuMs"]?.used ?? 0;
    const before = await eventually(tenantUsed, (ms) => ms > 5);
    const message = await tenant.send(other, BURN);
    await tenant.until(other, isShort);
    expect(await entries(tenant, other, "quota.spent")).toMatchObject([{ subject: "tenant", used: before }]);
    value(await tenant.core.setQuotas({ cpuMs: 2 * ONE_RUN }, "key:test"));
    expect((await tenant.ended(other, message)).reply).toContain("burnt");
    await eventually(tenantUsed, (ms) => ms === 2 * before);
  });
});
