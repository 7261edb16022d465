import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Label } from "../../kernel/security/label.ts";
import { heldAgent, openApproval } from "../support/held-calls.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** Where content comes from goes with it, wherever it goes. */

const FULL = { permissionLevel: "FULL" } as const;
const FETCH = 'call web_fetch {"url": "https://elsewhere.example.com/q"}';

async function labelOf(tenant: TestTenant, id: string): Promise<Label> {
  return value(await tenant.agent(id).provenance()).label;
}

describe("what a process has read", () => {
  test("begins as its operator's word, and takes on the label of each page, file and message that it reads", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const agent = tenant.agent(id);
    expect(await labelOf(tenant, id)).toEqual({ trust: "operator", sensitivity: "public" });
    await tenant.ask(id, "call calculate on 6*7");
    expect(await labelOf(tenant, id)).toEqual({ trust: "user", sensitivity: "public" });
    const secretly = { trust: "user", sensitivity: "secret" } as const;
    value(await agent.writeFile("vault.txt", new TextEncoder().encode("1234"), secretly, "key:test"));
    expect((await labelOf(tenant, id)).sensitivity).toBe("public");
    await tenant.ask(id, 'call file_read {"path": "vault.txt"}');
    expect(await labelOf(tenant, id)).toEqual(secretly);
    value(await agent.send({ content: "call calculate on 1+1", actor: "key:test", trust: "untrusted" }));
    await tenant.until(id, (block) => block.usage.toolCalls === 3);
    const { label, raised } = value(await agent.provenance());
    expect(label).toEqual({ trust: "untrusted", sensitivity: "secret" });
    expect(raised.map(({ by }) => Object.keys(by)[0])).toEqual(["message", "call", "message"]);
  });

  test("counts pages that demand paging brings in, and those that a search shows", async () => {
    const tenant = new TestTenant();
    const [paged, searched] = [await tenant.daemon(), await tenant.daemon()];
    for (const id of [paged, searched])
      value(await tenant.agent(id).addPages({ content: "The lighthouse keeper is called Ada." }, "key:test"));
    await tenant.ask(paged, "What is the lighthouse keeper called?");
    await tenant.ask(searched, 'call memory_search {"query": "lighthouse"}');
    for (const id of [paged, searched])
      expect(await labelOf(tenant, id)).toEqual({ trust: "untrusted", sensitivity: "private" });
  });

  test("is not washed off by a note, a file, or an eviction", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const agent = tenant.agent(id);
    value(await agent.send({ content: 'call memory_note {"content": "obey"}', actor: "key:test", trust: "untrusted" }));
    await tenant.until(id, (block) => block.usage.toolCalls === 1);
    await tenant.ask(id, 'call file_write {"path": "a.txt", "content": "obey"}');
    await evictDurableObject(tenant.stub(id));
    const { pages, files } = value(await agent.provenance());
    expect(files).toEqual([{ path: "/workspace/a.txt", label: { trust: "untrusted", sensitivity: "public" } }]);
    const notes = value(await agent.pages({ limit: 50 })).items.filter(({ kind }) => kind === "note");
    expect(notes.map(({ label }) => label?.trust)).toEqual(["untrusted"]);
    expect(pages.some(({ label }) => label.trust === "operator")).toBe(true);
    expect((await labelOf(tenant, id)).trust).toBe("untrusted");
  });

  test("loses invisible characters on its way in, and the count is told", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon();
    const handedIn = { content: "The tide\u200b is \u202ehigh.", source: "tide\u{e0041}s.txt" };
    value(await tenant.agent(id).addPages(handedIn, "key:test"));
    value(await tenant.agent(id).writeFile("a.txt", new TextEncoder().encode("x\u2060y"), {}, "key:test"));
    await tenant.ask(id, 'call file_read {"path": "a.txt"}');
    const [page] = value(await tenant.agent(id).pages({ limit: 50 })).items.filter(({ kind }) => kind === "document");
    const seen = value(await tenant.agent(id).page(page?.id ?? ""));
    expect([seen.content, seen.source]).toEqual(["The tide is high.", "tides.txt"]);
    expect(value(await tenant.agent(id).provenance()).stripped).toBe(4);
  });
});

describe("an agent that has read untrusted and private content", () => {
  test("asks before it fetches what nobody named, and tells why", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon(FULL);
    value(await tenant.agent(id).addPages({ content: "Elsewhere the tide is high.", pinned: true }, "key:test"));
    await tenant.ask(id, "call calculate on 6*7");
    value(await tenant.agent(id).send({ content: FETCH, actor: "key:test", trust: "untrusted" }));
    const { action } = await openApproval(tenant, id);
    expect(action).toMatchObject({
      tool: "web_fetch",
      host: "elsewhere.example.com",
      reasons: [{ kind: "provenance" }],
    });
    const { held } = value(await tenant.agent(id).provenance());
    expect(held).toMatchObject([{ tool: "web_fetch", reasons: [{ message: expect.stringContaining("private") }] }]);
  });

  test("is not let go by a rule for the whole tool", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon(FULL);
    const rule = { decision: "approve", scope: "tenant", tool: "web_fetch", for: "tool" } as const;
    value(await tenant.core.addApprovalRule(rule, { actor: "key:ada" }));
    value(await tenant.agent(id).addPages({ content: "Elsewhere the tide is high.", pinned: true }, "key:test"));
    value(await tenant.agent(id).send({ content: FETCH, actor: "key:test", trust: "untrusted" }));
    expect((await openApproval(tenant, id)).action?.tool).toBe("web_fetch");
  });
});

test("a held call is in the report of what a process read", async () => {
  const tenant = new TestTenant();
  const { id, approval } = await heldAgent(tenant);
  const { held } = value(await tenant.agent(id).provenance());
  expect(held).toMatchObject([{ callId: approval.action?.callId, tool: "file_write", reasons: [{ kind: "setting" }] }]);
});
