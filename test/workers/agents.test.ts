import { beforeAll, describe, expect, test } from "vitest";
import type { Page, PageEntry, SearchHit } from "../../kernel/context/page.ts";
import type { StepView } from "../../kernel/log/journal.ts";
import type { TrailReport } from "../../kernel/log/verification.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { MessageView } from "../../kernel/process/message.ts";
import { boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";

type List<T> = { items: T[]; nextCursor: string | null };

const TEXT = `The lighthouse at Skerryvore was built by Alan Stevenson and first lit in 1844.
Its tower is 48 metres high and stands on a reef south-west of Tiree.`;

beforeAll(boot);

describe("a walk through every route", () => {
  test("an agent is spawned, listed, shown, renamed, and erased for good", async () => {
    const { id, state } = await spawnDaemon({ name: "walker" });
    expect(id).toMatch(/^agt_/);
    expect(["new", "ready", "running", "waiting"]).toContain(state);

    const listed = await json<List<ControlBlock>>(200, "GET", "/v1/agents?name=walker");
    expect(listed.items.map((agent) => agent.id)).toEqual([id]);
    expect(await json(200, "GET", `/v1/agents/${id}`)).toMatchObject({ id, name: "walker", exit: null });

    const renamed = await json(200, "PATCH", `/v1/agents/${id}`, { body: { name: "runner", priority: 10 } });
    expect(renamed).toMatchObject({ name: "runner", priority: 10 });

    expect(await json(202, "DELETE", `/v1/agents/${id}`)).toEqual({ id });
    await problem(404, "not_found", "GET", `/v1/agents/${id}`);
    await problem(404, "not_found", "PATCH", `/v1/agents/${id}`, { body: { priority: 1 } });
    await problem(404, "not_found", "DELETE", `/v1/agents/${id}`);
  });

  test("a message is answered, listed, and shown; its steps and its cost are on record", async () => {
    const { id } = await spawnDaemon();
    await json(201, "POST", `/v1/agents/${id}/pages`, { body: { content: TEXT, source: "skerryvore.txt" } });
    const body = { content: "Who built the lighthouse at Skerryvore?", wait: 15 };
    const answered = await json<{ messageId: string; reply: string }>(200, "POST", `/v1/agents/${id}/messages`, {
      body,
    });
    expect(answered.reply).toContain("Alan Stevenson");

    const shown = await json<MessageView>(200, "GET", `/v1/agents/${id}/messages/${answered.messageId}`);
    expect(shown).toMatchObject({ state: "answered", reply: answered.reply, from: "key:bootstrap" });
    const listed = await json<List<MessageView>>(200, "GET", `/v1/agents/${id}/messages`);
    expect(listed.items.map((message) => message.id)).toContain(answered.messageId);
    await problem(409, "conflict", "DELETE", `/v1/agents/${id}/messages/${answered.messageId}`);

    const steps = await json<List<StepView>>(200, "GET", `/v1/agents/${id}/steps`);
    expect(steps.items.some((step) => step.messageId === answered.messageId)).toBe(true);
    const costs = await json<{ items: { key: string; calls: number }[]; totalNanoUsd: number }>(
      200,
      "GET",
      "/v1/costs",
    );
    expect(costs.items.find((row) => row.key === id)?.calls).toBeGreaterThan(0);
    expect(costs.totalNanoUsd).toBe(0);
  });

  test("memory is filled, listed, searched, touched, pinned, peeked at and forgotten", async () => {
    const { id } = await spawnDaemon();
    const pages = `/v1/agents/${id}/pages`;
    const added = await json<{ pages: { id: string; tokens: number }[] }>(201, "POST", pages, {
      body: { content: TEXT },
    });
    const pageId = added.pages[0]?.id ?? "";
    expect(pageId).toMatch(/^pg_/);

    const listed = await json<List<PageEntry>>(200, "GET", `${pages}?limit=200`);
    expect(listed.items.map((page) => page.id)).toContain(pageId);
    const found = await json<{ items: SearchHit[] }>(200, "GET", `${pages}/search?q=lighthouse&limit=3`);
    expect(found.items[0]?.id).toBe(pageId);
    const touched = await json<{ page: Page; fault: string }>(200, "POST", `${pages}/${pageId}/touch`);
    expect(["none", "minor", "major"]).toContain(touched.fault);
    expect(touched.page.content).toBe(TEXT);

    const pinned = await json<PageEntry>(200, "PATCH", `${pages}/${pageId}`, { body: { pinned: true, importance: 1 } });
    expect(pinned).toMatchObject({ pinned: true, importance: 1 });
    expect((await json<Page>(200, "GET", `${pages}/${pageId}`)).content).toBe(TEXT);
    expect((await request("DELETE", `${pages}/${pageId}`)).status).toBe(204);
    await problem(404, "not_found", "GET", `${pages}/${pageId}`);
    await problem(404, "not_found", "POST", `${pages}/${pageId}/touch`);
  });

  test("the audit trail is whole, for the agent and for the core", async () => {
    const { id } = await spawnDaemon();
    const report = await json<TrailReport>(200, "GET", `/v1/audit/verify?agentId=${id}`);
    expect(report).toMatchObject({ ok: true, head: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await json(200, "GET", "/v1/audit/verify")).toMatchObject({ ok: true });

    const spawns = await json<List<{ action: string; at: string }>>(200, "GET", "/v1/audit?action=agent.spawn&limit=1");
    expect(spawns.items).toMatchObject([{ action: "agent.spawn", at: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    expect(spawns.nextCursor).not.toBeNull();
    const own = await json<List<{ seq: number; action: string }>>(200, "GET", `/v1/audit?agentId=${id}&limit=1`);
    expect(own.items[0]?.seq).toBe(1);
    const later = await json<List<{ seq: number }>>(
      200,
      "GET",
      `/v1/audit?agentId=${id}&limit=1&cursor=${own.nextCursor}`,
    );
    expect(later.items[0]?.seq).toBe(2);
    expect(await json<List<unknown>>(200, "GET", `/v1/audit?agentId=${id}&from=2999-01-01`)).toMatchObject({
      items: [],
    });
  });

  test("costs come by agent, model, provider and day", async () => {
    for (const group of ["agent", "subtree", "model", "provider", "day"]) {
      expect(
        await json(200, "GET", `/v1/costs?groupBy=${group}&from=2020-01-01&to=2999-01-01T00:00:00Z`),
      ).toMatchObject({ items: expect.any(Array), totalUsd: expect.any(String) });
    }
    await problem(422, "invalid_input", "GET", "/v1/costs?groupBy=colour");
    await problem(422, "invalid_input", "GET", "/v1/costs?from=yesterday");
  });

  test("tools, providers and models are listed", async () => {
    const tools = await json<List<{ name: string; inputSchema: object }>>(200, "GET", "/v1/tools");
    expect(tools.items.map((tool) => tool.name)).toContain("memory_search");
    const providers = await json<List<{ name: string; models: string[] }>>(200, "GET", "/v1/providers");
    expect(providers.items).toContainEqual(expect.objectContaining({ name: "local", models: ["local/reader"] }));
    const models = await json<{ data: { id: string }[] }>(200, "GET", "/v1/models");
    expect(models.data.map((model) => model.id)).toContain("local/reader");
  });

  test("approvals are listed, and an unknown one takes no answer", async () => {
    expect(await json(200, "GET", "/v1/approvals?state=open")).toMatchObject({ items: [], nextCursor: null });
    await problem(404, "not_found", "POST", "/v1/approvals/apr_none", { body: { answer: "yes" } });
  });
});

describe("spawning", () => {
  const body = { name: "once", role: "r", goal: "g", daemon: true };

  test("with an idempotency key happens once, and another body is refused", async () => {
    const headers = { "Idempotency-Key": "spawn-1" };
    const first = await json<ControlBlock>(201, "POST", "/v1/agents", { body, headers });
    const again = await json<ControlBlock>(201, "POST", "/v1/agents", { body, headers });
    expect(again.id).toBe(first.id);
    const other = { ...body, goal: "another" };
    await problem(422, "idempotency_mismatch", "POST", "/v1/agents", { body: other, headers });
    await problem(422, "invalid_input", "POST", "/v1/agents", { body, headers: { "Idempotency-Key": "a b" } });
  });

  test("answers where the agent is", async () => {
    const response = await request("POST", "/v1/agents", { body });
    const { id } = (await response.json()) as ControlBlock;
    expect(response.headers.get("Location")).toBe(`/v1/agents/${id}`);
  });

  test("with a model that nobody serves is 422 and leaves nothing behind", async () => {
    const lost = { ...body, name: "lost", model: "nobody/nothing" };
    await problem(422, "unknown_model", "POST", "/v1/agents", { body: lost });
    expect(await json(200, "GET", "/v1/agents?name=lost")).toMatchObject({ items: [] });
  });

  test("below a parent that is not there is 422", async () => {
    const orphan = { ...body, parentId: "agt_nobody" };
    await problem(422, "invalid_input", "POST", "/v1/agents", { body: orphan });
  });
});

describe("signals", () => {
  test("stop and continue a process; after KILL there is nothing left to signal", async () => {
    const { id } = await spawnDaemon();
    const signals = `/v1/agents/${id}/signals`;
    expect(await json(202, "POST", signals, { body: { signal: "STOP" } })).toMatchObject({ state: "stopped" });
    await json(202, "POST", signals, { body: { signal: "CONT" } });
    await json(202, "POST", signals, { body: { signal: "KILL" } });
    await problem(409, "process_terminated", "POST", signals, { body: { signal: "CONT" } });
    await problem(409, "process_terminated", "POST", `/v1/agents/${id}/messages`, { body: { content: "hello?" } });
    await problem(422, "invalid_input", "POST", signals, { body: { signal: "HUP" } });
  });
});

describe("waiting", () => {
  test("for a process ends when it has terminated", async () => {
    const body = { name: "brief", role: "r", goal: "Say hello.", model: "local/reader" };
    const { id } = await json<ControlBlock>(201, "POST", "/v1/agents", { body });
    const ended = await json<ControlBlock>(200, "GET", `/v1/agents/${id}/wait?timeout=15`);
    expect(ended).toMatchObject({ state: "terminated", exit: { reason: "completed", code: 0 } });
    const again = await json<ControlBlock>(200, "GET", `/v1/agents/${id}/wait`);
    expect(again.state).toBe("terminated");
  });

  test("for a daemon ends when its mailbox is empty", async () => {
    const { id } = await spawnDaemon();
    const idle = await json<ControlBlock>(200, "GET", `/v1/agents/${id}/wait?timeout=15`);
    expect(idle).toMatchObject({ state: "waiting", waitReason: "message" });
  });

  test("ends when somebody stops the process", async () => {
    const { id } = await spawnDaemon();
    await json(200, "GET", `/v1/agents/${id}/wait?timeout=15`);
    await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "STOP" } });
    expect(await json(200, "GET", `/v1/agents/${id}/wait?timeout=15`)).toMatchObject({ state: "stopped" });
  });

  test("for a reply that does not come answers 202 in time, and the message stays", async () => {
    const { id } = await spawnDaemon();
    await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "STOP" } });
    const started = Date.now();
    const body = { content: "Anybody?", wait: 0.5 };
    const { messageId } = await json<{ messageId: string }>(202, "POST", `/v1/agents/${id}/messages`, { body });
    expect(Date.now() - started).toBeLessThan(5_000);
    const queued = await json<MessageView>(200, "GET", `/v1/agents/${id}/messages/${messageId}`);
    expect(queued.state).toBe("queued");
    expect(await json(200, "DELETE", `/v1/agents/${id}/messages/${messageId}`)).toMatchObject({ state: "cancelled" });
  });

  test("for a message takes at most 300 seconds, and no field that nobody knows", async () => {
    const { id } = await spawnDaemon();
    const messages = `/v1/agents/${id}/messages`;
    await problem(422, "invalid_input", "POST", messages, { body: { content: "x", wait: 301 } });
    await problem(422, "invalid_input", "POST", messages, { body: { content: "" } });
    await problem(422, "invalid_input", "POST", messages, { body: { content: "x", role: "system" } });
    await problem(422, "invalid_input", "GET", `/v1/agents/${id}/wait?timeout=-1`);
    await problem(422, "invalid_input", "GET", `/v1/agents/${id}/wait?timeout=soon`);
  });
});
