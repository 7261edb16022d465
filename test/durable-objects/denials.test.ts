import { describe, expect, test } from "vitest";
import { heldAgent, openApproval, writing, written } from "../support/held-calls.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** What a process is denied: it beats level and grants, holds from the next system call on, and is handed down. */

const ADA = "key:ada";

describe("a denial", () => {
  test("beats the level and every grant, and stands in the control block", async () => {
    const tenant = new TestTenant();
    const denials = { tools: ["file_write"], hosts: ["*.example.org"] };
    const grants = { hosts: ["docs.example.org", "example.com"] };
    const id = await tenant.daemon({ permissionLevel: "FULL", grants, denials });
    expect(await tenant.block(id)).toMatchObject({ grants, denials });
    await tenant.ask(id, writing("a.txt"));
    expect(await written(tenant, id)).toEqual([]);
    expect(await tenant.ask(id, 'call web_fetch {"url": "https://docs.example.org/"}')).toContain("denied");
  });

  test("that comes while a step runs holds for the next call of that turn", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const message = await tenant.send(id, `call ask_person {"question": "Go on?"}\n${writing("a.txt")}`);
    const question = await openApproval(tenant, id);
    value(await tenant.core.patch(id, { denials: { tools: ["file_write"] } }, ADA));
    value(await tenant.core.answer(question.id, { answer: "yes" }, ADA));
    expect(await tenant.ended(id, message)).toMatchObject({ state: "answered" });
    expect(await written(tenant, id)).toEqual([]);
  });

  test.each([{ denials: { tools: ["file_write"] } }, { permissionLevel: "RESTRICTED" as const }])(
    "that comes while a call is held is not undone by a person's yes: %j",
    async (patch) => {
      const tenant = new TestTenant();
      const { id, approval } = await heldAgent(tenant);
      value(await tenant.core.patch(id, patch, ADA));
      value(await tenant.core.answer(approval.id, { decision: "approve" }, ADA));
      await tenant.until(id, (block) => block.waitReason === "message");
      expect(await written(tenant, id)).toEqual([]);
      const ends = value(await tenant.agent(id).audit({ limit: 50, action: "call.end" })).items;
      expect(ends).toContainEqual(expect.objectContaining({ data: expect.objectContaining({ code: "forbidden" }) }));
    },
  );

  test("is changed list by list, and both chains say what was and what is", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ denials: { tools: ["file_write"], paths: ["/workspace/keys"] } });
    const patched = value(
      await tenant.core.patch(id, { denials: { tools: [] }, grants: { hosts: ["a.example"] } }, ADA),
    );
    const is = { denials: { tools: [], paths: ["/workspace/keys"] }, grants: { hosts: ["a.example"] } };
    expect(patched).toMatchObject(is);
    const before = { denials: { tools: ["file_write"], paths: ["/workspace/keys"] }, grants: {} };
    for (const chain of [
      await tenant.core.audit({ limit: 5, action: "agent.patch" }),
      await tenant.agent(id).audit({ limit: 5, action: "process.patch" }),
    ]) {
      expect(value(chain).items).toMatchObject([{ actor: ADA, data: { ...is, before } }]);
    }
    await tenant.ask(id, writing("a.txt"));
    expect(await written(tenant, id)).toEqual(["/workspace/a.txt@1"]);
  });

  test("of a parent is one of its children: at birth, by every change, and before the parent itself gets another", async () => {
    const tenant = new TestTenant();
    const parentId = await tenant.daemon({ denials: { tools: ["file_write"] } });
    const child = await tenant.daemon({ parentId, denials: { hosts: ["a.example"] } });
    expect((await tenant.block(child)).denials).toEqual({ tools: ["file_write"], hosts: ["a.example"] });
    value(await tenant.core.patch(child, { denials: { tools: [] } }, ADA));
    expect((await tenant.block(child)).denials).toEqual({ tools: ["file_write"], hosts: ["a.example"] });
    const more = { denials: { tools: ["file_write", "file_delete"] } };
    expect(await tenant.core.patch(parentId, more, ADA)).toMatchObject({
      error: { code: "conflict", message: expect.stringContaining(child) },
    });
    value(await tenant.core.patch(child, more, ADA));
    expect(value(await tenant.core.patch(parentId, more, ADA)).denials).toEqual(more.denials);
  });
});
