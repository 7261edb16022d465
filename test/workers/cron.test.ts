import { createScheduledController, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import worker from "../../workers/index.ts";
import { bindings, boot } from "./kernel-client.ts";

const NOW = 1_000_000;

const tick = () =>
  worker.scheduled(createScheduledController({ scheduledTime: new Date(NOW), cron: "* * * * *" }), bindings);

/** Which of the tenants' cores have ever been called. */
async function awake(...tenants: string[]): Promise<string[]> {
  const ids = (await listDurableObjectIds(bindings.CORES)).map(String);
  return tenants.filter((tenant) => ids.includes(String(bindings.CORES.idFromName(tenant))));
}

async function due(tenant: string, at: number): Promise<void> {
  await bindings.DB.prepare("INSERT INTO cores (tenant, due_at) VALUES (?, ?)").bind(tenant, at).run();
}

describe("cron", () => {
  beforeAll(boot);

  test("wakes the cores that are due and no other", async () => {
    await due("late", NOW - 5);
    await due("now", NOW);
    await due("later", NOW + 1);
    await tick();
    expect(await awake("late", "now", "later", "idle")).toEqual(["late", "now"]);
  });

  test("goes on when one of them is broken", async () => {
    await runInDurableObject(bindings.CORES.getByName("broken"), (_, { storage }) => {
      storage.sql.exec("DROP TABLE processes");
    });
    await due("broken", NOW - 9);
    await due("behind", NOW - 8);
    await tick();
    expect(await awake("behind")).toEqual(["behind"]);
  });
});
