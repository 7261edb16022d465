import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { TestTenant } from "../support/tenant.ts";

/** A deploy whose migration fails, and the next one that is good: the tables stand in the way, then they do not. */

const rows = (stub: DurableObjectStub, statement: string) =>
  runInDurableObject(stub, (_object, { storage }) => storage.sql.exec(statement).toArray());

describe("a process that this version of the code cannot migrate", () => {
  test("answers schema_failed, changes nothing, looks again later, and goes on when a good version comes", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const stub = tenant.stub(id);
    const [whole] = await rows(stub, "SELECT count(*) - 1 AS n FROM schema_migrations");
    // The migration that lays `strays` is to run again, and the table is there.
    await rows(stub, "DELETE FROM schema_migrations WHERE name = '0002_batch'");
    await rows(stub, "UPDATE process SET state = 'ready', wait_reason = NULL");
    await evictDurableObject(stub);
    const refused = { ok: false, error: { code: "schema_failed" } };
    expect(await tenant.agent(id).block()).toMatchObject(refused);
    expect(await tenant.agent(id).send({ content: "hello?", actor: "key:test" })).toMatchObject(refused);
    await runInDurableObject(stub, (_object, { storage }) => storage.setAlarm(Date.now() + 3_600_000));
    await runDurableObjectAlarm(stub);
    const [at] = [await runInDurableObject(stub, (_object, { storage }) => storage.getAlarm())];
    expect(at).toBeGreaterThan(Date.now());
    expect(await rows(stub, "SELECT count(*) AS n FROM schema_migrations")).toEqual([whole]);
    await rows(stub, "DROP TABLE strays");
    await runDurableObjectAlarm(stub);
    await tenant.until(id, (block) => block.waitReason === "message");
    expect(await tenant.ask(id, "call calculate on 6*7")).toContain("42");
    expect(await rows(stub, "SELECT count(*) AS n FROM schema_migrations WHERE name = '0002_batch'")).toEqual([
      { n: 1 },
    ]);
  });
});
