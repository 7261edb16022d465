import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Approval } from "../../../clients/sdk/client/approvals.ts";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { ToolServer } from "../../support/tool-server/client.ts";
import type { ToolEntry } from "../../support/tool-server/order.ts";
import { aos, KernelProcess, stateFolder } from "../runtime/kernel-process.ts";

/** SIGKILL around an effect outside. The journal of the tool server says what happened; a person is asked what nobody knows. */

let model: ModelServer;
let keyed: ToolServer;
let plain: ToolServer;
let kernel: KernelProcess;

beforeAll(async () => {
  model = await ModelServer.start();
  keyed = await ToolServer.start({ keys: true });
  plain = await ToolServer.start();
  kernel = await start(stateFolder());
});

afterAll(async () => {
  await kernel.dispose();
  await Promise.all([model.stop(), keyed.stop(), plain.stop()]);
});

function start(state: string): Promise<KernelProcess> {
  return KernelProcess.start(state, {
    OPENAI_API_KEY: "test",
    OPENAI_BASE_URL: model.baseUrl,
    AOS_EGRESS_ALLOW: `${keyed.host}, ${plain.host}`,
    AOS_KEYED_HOSTS: keyed.host,
  });
}

function client(): KernelClient {
  return new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
}

/** A daemon that was told to POST to `url` and to report; answers when the server has seen the request. */
async function posting(server: ToolServer, path: string, how: string): Promise<{ id: string; messageId: string }> {
  const post = { method: "POST", url: `${server.url}${path}?${how}`, body: "do it" };
  await model.script({
    rules: [
      { match: { lastTool: "{" }, reply: { text: "reported" } },
      { match: { lastUser: path }, reply: { toolCalls: [{ name: "http_request", arguments: post }] } },
    ],
  });
  const { id } = await client().agents.spawn({
    name: "Poster",
    role: "poster",
    goal: "wait",
    daemon: true,
    model: "openai/test",
    permissionLevel: "ADVANCED",
    grants: { hosts: [server.host] },
  });
  const { messageId } = await client().messages.send(id, `post to ${path}`);
  return { id, messageId };
}

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean, ms = 60_000): Promise<T> {
  for (const end = Date.now() + ms; ; await sleep(30)) {
    const value = await read().catch(() => undefined);
    if (value !== undefined && holds(value)) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${JSON.stringify(value)}`);
  }
}

function seen(server: ToolServer, path: string, type: ToolEntry["type"]): Promise<ToolEntry[]> {
  return until(
    () => server.journal(path),
    (entries) => entries.some((entry) => entry.type === type),
  );
}

function ended(id: string, messageId: string) {
  return until(
    () => client().messages.get(id, messageId),
    ({ state }) => state !== "queued" && state !== "running",
  );
}

async function openApproval(agentId: string): Promise<Approval> {
  const read = async () => (await client().approvals.list({ state: "open", limit: 200 })).items;
  const items = await until(read, (all) => all.some((item) => item.agentId === agentId));
  return items.find((item) => item.agentId === agentId) as Approval;
}

async function killWorkerd(): Promise<void> {
  process.kill(kernel.workerdPid, "SIGKILL");
}

async function killBoth(): Promise<void> {
  process.kill(kernel.workerdPid, "SIGKILL");
  await kernel.end("SIGKILL");
  kernel = await start(kernel.state);
}

/** Requests and effects of one path, and the keys that came with them. */
async function told(server: ToolServer, path: string) {
  const entries = await server.journal(path);
  const requests = entries.filter(({ type }) => type === "request");
  return {
    requests: requests.length,
    acts: await server.acts(path),
    keys: new Set(requests.map(({ key }) => key)).size,
  };
}

describe("a receiver that honours keys", () => {
  test.each([
    ["before it acted", "hang_before", "request", killWorkerd],
    ["after it acted", "hang_after", "act", killWorkerd],
    ["after it acted, parent and all", "hang_after", "act", killBoth],
  ] as const)("killed %s: acts once", async (when, fault, moment, kill) => {
    const path = `/keyed/${when.replaceAll(/\W+/g, "-")}`;
    const { id, messageId } = await posting(keyed, path, `fault=${fault}&times=1`);
    await seen(keyed, path, moment);
    await kill();
    expect(await ended(id, messageId)).toMatchObject({ state: "answered", reply: "reported" });
    expect(await told(keyed, path)).toEqual({ requests: 2, acts: 1, keys: 1 });
  });

  test("that does not answer is asked again under the same key", async () => {
    const { id, messageId } = await posting(keyed, "/keyed/reset", "fault=reset_after&times=2");
    expect(await ended(id, messageId)).toMatchObject({ state: "answered" });
    expect(await told(keyed, "/keyed/reset")).toEqual({ requests: 3, acts: 1, keys: 1 });
  });
});

describe("a receiver that honours no keys", () => {
  test("killed before it acted: nothing runs again until a person says that it did not happen", async () => {
    const { id, messageId } = await posting(plain, "/plain/before", "fault=hang_before&times=1");
    await seen(plain, "/plain/before", "request");
    await killWorkerd();
    const approval = await openApproval(id);
    expect(approval).toMatchObject({ kind: "approval", action: { tool: "http_request", attempt: 1 } });
    expect(approval.action?.input).toContain("/plain/before");
    expect(await client().agents.get(id)).toMatchObject({ state: "waiting", waitReason: "approval" });
    expect(await told(plain, "/plain/before")).toEqual({ requests: 1, acts: 0, keys: 1 });

    await killBoth();
    const { code, stdout } = await aos(["approve", approval.id, "--not-done", "--note", "their log has nothing"], {
      AOS_STATE: kernel.state,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${approval.id} not_done\n` });
    expect(await ended(id, messageId)).toMatchObject({ state: "answered", reply: "reported" });
    expect(await told(plain, "/plain/before")).toEqual({ requests: 2, acts: 1, keys: 1 });
  });

  test("killed after it acted: goes on with the result that a person tells", async () => {
    const { id, messageId } = await posting(plain, "/plain/after", "fault=hang_after");
    await seen(plain, "/plain/after", "act");
    await killWorkerd();
    const approval = await openApproval(id);
    const decided = await client().approvals.decide(approval.id, "done", { answer: "order 7", note: "asked them" });
    expect(decided).toMatchObject({ state: "answered", decision: "done", answer: "order 7", note: "asked them" });
    expect(await ended(id, messageId)).toMatchObject({ state: "answered", reply: "reported" });
    expect(await told(plain, "/plain/after")).toEqual({ requests: 1, acts: 1, keys: 1 });
    const requests = (await model.journal()).filter((entry) => entry.type === "request");
    expect(JSON.stringify(requests.at(-1)?.body)).toContain("order 7");
    await expect(client().approvals.decide(approval.id, "not_done")).rejects.toMatchObject({ code: "conflict" });
  });

  test("given up: the message ends as parked, and the daemon lives on", async () => {
    const { id, messageId } = await posting(plain, "/plain/never", "fault=hang_after");
    await seen(plain, "/plain/never", "act");
    await killWorkerd();
    await client().approvals.decide((await openApproval(id)).id, "abandon");
    expect(await ended(id, messageId)).toMatchObject({ state: "parked", error: { code: "outcome_unknown" } });
    expect(await told(plain, "/plain/never")).toEqual({ requests: 1, acts: 1, keys: 1 });
    const next = await client().messages.send(id, "hello");
    expect(await ended(id, next.messageId)).toMatchObject({ state: "answered" });
    expect((await client().ledger.verify({ agentId: id })).ok).toBe(true);
  });
});
