import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type AgentEvent, AgentOSKernel, AosError, KernelClient, RuntimeError } from "../../clients/sdk/index.ts";
import { readAdminKey } from "../../clients/sdk/runtime/admin-key.ts";
import { BLANK } from "../../clients/sdk/runtime/settings.ts";
import { cleanEnvironment, stateFolder } from "../e2e/runtime/kernel-process.ts";
import { embeddedKernel } from "./embedded-kernel.ts";

const { kernel, state } = embeddedKernel();
const SUM = { name: "Adder", role: "general", goal: "What is 6 * 7?" };
const DAEMON = { name: "Librarian", role: "librarian", goal: "Answer from memory.", daemon: true };

async function idleDaemon(): Promise<string> {
  const { id } = await kernel.client.agents.spawn(DAEMON);
  await kernel.client.agents.wait(id);
  return id;
}

async function eventsUntil(agentId: string, last: string, after = 0): Promise<AgentEvent[]> {
  const seen: AgentEvent[] = [];
  for await (const event of kernel.client.events.watch(agentId, { after })) {
    seen.push(event);
    if (event.event === last) break;
  }
  return seen;
}

describe("an embedded kernel", () => {
  it("runs the example of the contract as a program of its own", async () => {
    const folder = stateFolder();
    const example = resolve(import.meta.dirname, "../../examples/hello.ts");
    const env = cleanEnvironment({ AOS_STATE: folder });
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [example], { env });
    expect(stderr).toBe("");
    expect(stdout).toContain("local/reader");
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs an agent to its result", async () => {
    const id = await kernel.spawnAgent(SUM);
    const [block] = await kernel.run();
    expect(block).toMatchObject({ id, state: "terminated", exit: { code: 0, reason: "completed" } });
    expect(block?.result).toContain("42");
  });

  it("stops running when an agent waits for a person, and goes on with the answer", async () => {
    const id = await kernel.spawnAgent({ ...SUM, goal: "Ask a person: which colour is the door?" });
    expect((await kernel.run()).find((block) => block.id === id)).toMatchObject({
      state: "waiting",
      waitReason: "approval",
    });
    const { items } = await kernel.client.approvals.list({ state: "open" });
    const question = items.find((item) => item.agentId === id);
    await kernel.client.approvals.answer(question?.id ?? "", "blue");
    await kernel.run();
    expect((await kernel.client.agents.get(id)).result).toContain("blue");
  });

  it("counts a daemon with nothing to do as done", async () => {
    const id = await kernel.spawnAgent(DAEMON);
    expect((await kernel.run()).find((block) => block.id === id)).toMatchObject({
      state: "waiting",
      waitReason: "message",
    });
  });

  it("refuses its state folder to a second kernel of the same process", async () => {
    const second = new AgentOSKernel({ state, env: BLANK });
    await expect(second.initialize()).rejects.toThrow(RuntimeError);
    await expect(second.initialize()).rejects.toThrow(`in use by process ${process.pid}`);
    expect(await kernel.client.health()).toMatchObject({ ok: true });
  });

  it("keeps agents and memory over a restart", async () => {
    const folder = stateFolder();
    const first = new AgentOSKernel({ state: folder, env: BLANK });
    await first.initialize();
    const id = await first.spawnAgent({ ...DAEMON, goal: "Remember that the gate opens at dawn." });
    await first.run();
    await first.shutdown();

    const second = new AgentOSKernel({ state: folder, env: BLANK });
    await second.initialize();
    const { reply } = await second.client.messages.send(id, "When does the gate open?", { waitSeconds: 30 });
    expect(reply).toContain("dawn");
    expect((await second.client.ledger.verify({ agentId: id })).ok).toBe(true);
    await second.shutdown();
    rmSync(folder, { recursive: true, force: true });
  });

  it("knows no client before it is initialized", () => {
    expect(() => new AgentOSKernel().client).toThrow("initialize");
  });
});

describe("a remote kernel", () => {
  it("is used by address and key", async () => {
    const remote = new AgentOSKernel({ baseUrl: kernel.url ?? "", apiKey: readAdminKey(state) ?? "" });
    await remote.initialize();
    const id = await remote.spawnAgent(SUM);
    await remote.run();
    expect((await kernel.client.agents.get(id)).result).toContain("42");
    await remote.shutdown();
    expect(await kernel.client.health()).toMatchObject({ ok: true });
  });

  it("refuses a wrong key", async () => {
    const stranger = new KernelClient({ baseUrl: kernel.url ?? "", apiKey: "aos_nobody" });
    await expect(stranger.agents.list()).rejects.toMatchObject({ status: 401, code: "unauthorized" });
  });

  it("that does not answer is said to be unreachable", async () => {
    const absent = new AgentOSKernel({ baseUrl: "http://127.0.0.1:1", apiKey: "none" });
    await expect(absent.initialize()).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });
});

describe("the typed client", () => {
  it("throws what the kernel said", async () => {
    const failure = await kernel.client.agents.spawn({ ...SUM, priority: 1_000 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AosError);
    expect(failure).toMatchObject({ status: 422, code: "invalid_input", issues: [{ path: "$.priority" }] });
    expect((failure as AosError).requestId).toMatch(/^req_/);
  });

  it("spawns once for one idempotency key", async () => {
    const [a, b] = [
      await kernel.client.agents.spawn(SUM, { idempotencyKey: "once" }),
      await kernel.client.agents.spawn(SUM, { idempotencyKey: "once" }),
    ];
    expect(b.id).toBe(a.id);
  });

  it("watches an agent from its first event to its end", async () => {
    const { id } = await kernel.client.agents.spawn(SUM);
    const events = await eventsUntil(id, "end");
    expect(events[0]).toMatchObject({ id: 1, event: "process.spawn" });
    expect(events.at(-1)?.event).toBe("end");
    const ids = events.flatMap((event) => event.id ?? []);
    expect(ids).toEqual(ids.map((_, index) => index + 1));
  });

  it("resumes a watch after an event it has seen", async () => {
    const { id } = await kernel.client.agents.spawn(SUM);
    await kernel.client.agents.wait(id);
    const events = await eventsUntil(id, "end", 3);
    expect(events[0]?.id).toBe(4);
  });

  it("remembers, searches, reads, touches, pins and forgets pages", async () => {
    const id = await idleDaemon();
    const { pages } = kernel.client;
    const [added] = await pages.add(id, { content: "The lighthouse keeper fears owls.", source: "keeper.txt" });
    const pageId = added?.id ?? "";
    expect((await pages.search(id, "lighthouse"))[0]).toMatchObject({ id: pageId, source: "keeper.txt" });
    expect((await pages.read(id, pageId)).content).toBe("The lighthouse keeper fears owls.");
    expect((await pages.touch(id, pageId)).page.id).toBe(pageId);
    expect((await pages.update(id, pageId, { pinned: true })).pinned).toBe(true);
    expect((await Array.fromAsync(pages.all(id))).map((page) => page.id)).toContain(pageId);
    await pages.forget(id, pageId);
    await expect(pages.read(id, pageId)).rejects.toMatchObject({ code: "not_found" });
  });

  it("writes, lists, reads and removes files, byte for byte", async () => {
    const id = await idleDaemon();
    const { files } = kernel.client;
    const bytes = new Uint8Array([0, 255, 10, 13]);
    const path = "/workspace/dir/字 ü#?%.bin";
    expect(await files.write(id, path, bytes)).toMatchObject({ path, version: 1, bytes: 4 });
    expect(await files.read(id, path)).toEqual(bytes);
    await expect(files.write(id, path, bytes, { ifVersion: 0 })).rejects.toMatchObject({ code: "version_conflict" });
    expect((await Array.fromAsync(files.list(id))).map((file) => file.path)).toEqual([path]);
    await files.write(id, path, "later");
    expect(await files.read(id, path, { version: 1 })).toEqual(bytes);
    await files.remove(id, path);
    await expect(files.read(id, path)).rejects.toMatchObject({ code: "not_found" });
    expect((await files.versions(id, path)).map(({ version }) => version)).toEqual([2, 1]);
    expect(await files.rollback(id, path, 1)).toMatchObject({ path, version: 3, bytes: 4 });
    expect(await files.read(id, path)).toEqual(bytes);
    await expect(files.read(id, "../../agents")).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("shows steps, costs and whole chains", async () => {
    const { id } = await kernel.client.agents.spawn(SUM);
    await kernel.client.agents.wait(id);
    const steps = await Array.fromAsync(kernel.client.agents.steps(id));
    expect(steps.map(({ step, state }) => ({ step, state }))).toEqual([
      { step: 1, state: "done" },
      { step: 2, state: "done" },
    ]);
    expect(steps[0]?.toolCalls).toMatchObject([{ name: "calculate", ok: true }]);
    const report = await kernel.client.ledger.verify({ agentId: id });
    expect(report).toMatchObject({ ok: true });
    const entries = await Array.fromAsync(kernel.client.ledger.entries({ agentId: id }));
    expect(entries.at(-1)).toMatchObject({ seq: report.entries, hash: report.head });
    expect((await kernel.client.ledger.costs()).items.map(({ key }) => key)).toContain(id);
  });

  it("signals, and is told when there is nothing left to signal", async () => {
    const id = await idleDaemon();
    await kernel.client.agents.signal(id, "KILL");
    expect(await kernel.client.agents.wait(id)).toMatchObject({ state: "terminated", exit: { reason: "killed" } });
    await expect(kernel.client.agents.signal(id, "STOP")).rejects.toMatchObject({ code: "process_terminated" });
  });

  it("erases an agent", async () => {
    const id = await idleDaemon();
    await kernel.client.agents.erase(id);
    await expect(kernel.client.agents.get(id)).rejects.toMatchObject({ status: 404 });
  });
});
