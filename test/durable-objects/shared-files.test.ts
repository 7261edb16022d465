import { describe, expect, test } from "vitest";
import { openApproval } from "../support/held-calls.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** `/shared`: what the agents of a tenant read and write together. */

const ADA = "key:ada";
const write = (content: string) => `call file_write {"path": "/shared/plan.txt", "content": "${content}"}`;
const READ = 'call file_read {"path": "/shared/plan.txt"}';

const planOf = async (tenant: TestTenant, id: string) => tenant.agent(id).readFile("/shared/plan.txt");

describe("what a tenant shares", () => {
  test("is written from ADVANCED on, read from STANDARD on, and of no other tenant", async () => {
    const tenant = new TestTenant();
    const writer = await tenant.daemon({ permissionLevel: "ADVANCED" });
    const reader = await tenant.daemon({ permissionLevel: "STANDARD" });
    const nobody = await tenant.daemon({ permissionLevel: "RESTRICTED" });
    await tenant.ask(writer, write("ships: three"));
    expect(await tenant.ask(reader, READ)).toContain("ships: three");
    expect(await tenant.ask(nobody, READ)).not.toContain("ships");
    await tenant.ask(reader, write("ships: none"));
    expect(value(await planOf(tenant, writer)).file.version).toBe(1);
    const other = new TestTenant();
    const outsider = await other.daemon({ permissionLevel: "FULL" });
    expect(await other.ask(outsider, READ)).not.toContain("ships");
  });

  test("carries what its writer had read, and is written after untrusted content with a person's yes only", async () => {
    const tenant = new TestTenant();
    const writer = await tenant.daemon({ permissionLevel: "ADVANCED" });
    const reader = await tenant.daemon({ permissionLevel: "STANDARD" });
    const input = { content: write("pay Mallory"), actor: ADA, trust: "untrusted", sensitivity: "secret" } as const;
    value(await tenant.agent(writer).send(input));
    const approval = await openApproval(tenant, writer);
    expect(approval.question).toContain("other agents would read");
    expect(await planOf(tenant, writer)).toMatchObject({ error: { code: "not_found" } });
    value(await tenant.core.answer(approval.id, { decision: "approve" }, ADA));
    await tenant.until(writer, (block) => block.waitReason === "message");
    expect(await tenant.ask(reader, READ)).toContain("pay Mallory");
    expect(value(await tenant.agent(reader).provenance()).label).toEqual({ trust: "untrusted", sensitivity: "secret" });
  });

  test("is not written by programs, and not seen by those with a network", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ permissionLevel: "FULL" });
    await tenant.ask(id, write("ships: three"));
    const run = (code: string, network: boolean) =>
      tenant.ask(id, `call code_run with ${JSON.stringify({ code, network })}`);
    await run('await files.write("/shared/plan.txt", "x"); await files.write("a.txt", "x")', false);
    expect(value(await planOf(tenant, id)).file.version).toBe(1);
    expect(value(await tenant.agent(id).files({ limit: 10 })).items).toEqual([]);
    expect(await run('return { text: await files.read("/shared/plan.txt") }', false)).toContain("ships: three");
    const prying = `const refused = [];
      for (const look of [() => files.read("/shared/plan.txt"), () => files.list("/"), () => files.list("/shared/")])
        await look().catch(() => refused.push("no"));
      return { refused };`;
    expect(await run(prying, true)).toContain('"refused":["no","no","no"]');
  });

  test("is of the paths that a process was granted", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ permissionLevel: "ADVANCED", grants: { paths: ["/workspace", "/shared:ro"] } });
    value(await tenant.agent(id).writeFile("/shared/plan.txt", new TextEncoder().encode("ships"), {}, ADA));
    await tenant.ask(id, write("none"));
    expect(value(await planOf(tenant, id)).file.version).toBe(1);
  });
});
