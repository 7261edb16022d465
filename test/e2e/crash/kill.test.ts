import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import type { JournalEntry, ScriptedReply } from "../../support/model-server/script.ts";
import { KernelProcess, stateFolder } from "../runtime/kernel-process.ts";

/** A run of several steps against a model server of its own, while the runtime is killed. The server's journal is the oracle. */

const STEPS = 6;
const LATENCY_MS = 400;

/** Notes 1 to `STEPS`, one a step, then the answer. */
const RUN: ScriptedReply[] = [
  ...Array.from({ length: STEPS }, (_, i) => ({
    latencyMs: LATENCY_MS,
    toolCalls: [{ name: "file_write", arguments: { path: `step-${i + 1}.txt`, content: `step ${i + 1}` } }],
  })),
  { latencyMs: LATENCY_MS, text: "all steps are done" },
];

/** The same run as rules, so that a call that a crash repeats gets the same answer. */
function rules() {
  return RUN.map((reply, i) => ({
    match: i === 0 ? { lastUser: "begin" } : { lastTool: `step-${i}.txt` },
    reply,
  })).reverse();
}

describe("SIGKILL in the middle of a run", () => {
  let journal: string;
  let model: ModelServer;
  let kernel: KernelProcess;
  const state = () => kernel.state;

  beforeEach(async () => {
    journal = mkdtempSync(join(tmpdir(), "aos-journal-"));
    model = await ModelServer.start({ journal: join(journal, "journal.jsonl") });
    await model.script({ rules: rules() });
    kernel = await start();
  });

  afterEach(async () => {
    await kernel.dispose();
    await model.stop();
    rmSync(journal, { recursive: true, force: true });
  });

  function start(folder = stateFolder()): Promise<KernelProcess> {
    return KernelProcess.start(folder, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
  }

  function client(): KernelClient {
    return new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  }

  const requests = (entries: JournalEntry[]) => entries.filter((entry) => entry.type === "request").length;

  /** Waits until the model server has seen `count` requests. */
  async function seen(count: number): Promise<void> {
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(20)) {
      if (requests(await model.journal()) >= count) return;
    }
    throw new Error(`the model server never saw ${count} requests`);
  }

  const parent = async () => kernel.end("SIGKILL");
  const workerd = async () => void process.kill(kernel.workerdPid, "SIGKILL");
  const both = async () => {
    await workerd();
    await parent();
  };

  test.each([
    ["parent", "interactive", parent],
    ["workerd", "interactive", workerd],
    ["parent and workerd", "interactive", both],
    ["parent", "batch", parent],
    ["workerd", "batch", workerd],
  ] as const)("of the %s: an agent of the %s lane goes on by itself and ends right", async (which, lane, kill) => {
    const spec = { name: "Runner", role: "runner", goal: "begin", model: "openai/test", lane };
    const { id } = await client().agents.spawn(spec);
    await seen(3);
    await kill();
    const killedAt = Date.now();
    if (which !== "workerd") kernel = await start(state());
    const block = await terminated(id);
    console.log(
      `killed ${which}, ${lane} lane: done ${Date.now() - killedAt} ms later, ${requests(await model.journal())} model calls`,
    );

    expect(block).toMatchObject({ exit: { code: 0, reason: "completed" }, result: "all steps are done" });
    for (let step = 1; step <= STEPS; step++) {
      expect(new TextDecoder().decode(await client().files.read(id, `step-${step}.txt`))).toBe(`step ${step}`);
    }
    expect((await client().ledger.verify({ agentId: id })).ok).toBe(true);
    const calls = requests(await model.journal());
    expect(calls).toBeGreaterThanOrEqual(STEPS + 1);
    expect(calls).toBeLessThanOrEqual(STEPS + 2);
    const steps = await Array.fromAsync(client().agents.steps(id));
    expect(steps.filter((step) => step.state === "done")).toHaveLength(STEPS + 1);
    expect(steps).toHaveLength(calls);
  });

  async function terminated(id: string) {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
      const block = await client()
        .agents.get(id)
        .catch(() => null);
      if (block?.state === "terminated") return block;
    }
    throw new Error(`not terminated: ${JSON.stringify(await client().agents.get(id))}`);
  }
});
