import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { Outbox } from "../../durable-objects/core/outbox.ts";
import { systemClock, systemHash, systemRandom } from "../../durable-objects/ports.ts";
import { type Birth, newBirth, newborn } from "../../kernel/process/birth.ts";
import { ProcessTable } from "../../kernel/scheduler/process-table.ts";
import { objectSql } from "../support/ports.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** A process that a crash left accepted and not born: its object has no tables. */
async function unborn(tenant: TestTenant): Promise<Birth> {
  await tenant.daemon();
  const spec = { name: "Unborn", role: "r", goal: "call calculate on 6*7", daemon: true };
  const ports = { clock: systemClock, random: systemRandom, hash: systemHash };
  const from = { tenant: tenant.name, spec, model: "local/reader", contextTokens: 1_000_000, actor: "key:test" };
  const birth = newBirth(from, ports);
  await runInDurableObject(tenant.coreStub, (_object, state) =>
    new ProcessTable(objectSql(state.storage)).enter(newborn(birth), birth, 0, 1),
  );
  return birth;
}

describe("an order to a process that is not born yet", () => {
  test("waits for its birth: a child whose parent ended meanwhile ends too", async () => {
    const tenant = new TestTenant();
    const { id } = await unborn(tenant);
    await runInDurableObject(tenant.coreStub, (_object, state) => new Outbox(objectSql(state.storage)).put(id, "KILL"));
    value(await tenant.core.sweep());
    const { exit } = await tenant.until(id, (block) => block.state === "terminated");
    expect(exit).toEqual({ code: 137, reason: "killed" });
  });
});
