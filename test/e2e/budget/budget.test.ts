import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/**
 * Fifty messages at once on a budget for ten model calls, through the API of a real kernel. The model server's journal is
 * the oracle: what reached it was admitted.
 */

const MESSAGES = 50;
const ADMITTED = 10;
const RAISED = 2;
const PLENTY = 1_000_000;
const PATIENCE_MS = 60_000;

describe("fifty messages at once on a budget for ten model calls", () => {
  let journal: string;
  let model: ModelServer;
  let kernel: KernelProcess;
  let client: KernelClient;
  let parent: string;
  const children: string[] = [];

  beforeAll(async () => {
    journal = mkdtempSync(join(tmpdir(), "aos-journal-"));
    model = await ModelServer.start({ journal: join(journal, "journal.jsonl") });
    await model.script({ rules: [{ reply: { text: "done", latencyMs: 20 } }] });
    kernel = await KernelProcess.start(undefined, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
    client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
    parent = await daemon();
    children.push(...(await Promise.all(Array.from({ length: MESSAGES }, () => daemon(parent)))));
    await until("every goal is done", async () => (await calls()) === MESSAGES + 1);
    await Promise.all([parent, ...children].map((id) => client.agents.wait(id, { timeoutSeconds: 60 })));
  });

  afterAll(async () => {
    await kernel.dispose();
    await model.stop();
    rmSync(journal, { recursive: true, force: true });
  });

  async function daemon(parentId?: string): Promise<string> {
    const spec = { name: "Worker", role: "worker", goal: "begin", model: "openai/test", daemon: true };
    const { id } = await client.agents.spawn(parentId === undefined ? spec : { ...spec, parentId });
    return id;
  }

  async function calls(): Promise<number> {
    return (await model.journal()).filter((entry) => entry.type === "request").length;
  }

  /** Waits until `agents` wait for nothing but room in a budget, or for mail. */
  async function quiet(agents: readonly string[]): Promise<void> {
    const isQuiet = async (id: string) => {
      const { waitReason } = await client.agents.get(id);
      return waitReason === "quota" || waitReason === "message";
    };
    await until("the agents are quiet", async () => (await Promise.all(agents.map(isQuiet))).every(Boolean));
  }

  /** Sends the messages at once, raises the budget twice, and counts what reached the model after each. */
  async function play(agents: readonly string[], setSteps: (left: number) => Promise<unknown>) {
    const before = await calls();
    await setSteps(ADMITTED);
    const send = (_: unknown, i: number) => client.messages.send(agents[i % agents.length] ?? "", `message ${i}`);
    await Promise.all(Array.from({ length: MESSAGES }, send));
    const reached: number[] = [];
    for (const left of [ADMITTED, ADMITTED + RAISED, PLENTY]) {
      if (left !== ADMITTED) await setSteps(left);
      const expected = Math.min(left, MESSAGES);
      await until(`${expected} calls`, async () => (await calls()) - before >= expected);
      await quiet(agents);
      reached.push((await calls()) - before);
    }
    return reached;
  }

  test("of the tenant: ten reach the model, two more when it is raised by two, and none of it is held in the end", async () => {
    const reached = await play(children, (steps) => client.quotas.set({ steps }));
    expect(reached).toEqual([ADMITTED, ADMITTED + RAISED, MESSAGES]);
    await until("nothing is reserved", async () => (await client.quotas.get()).quotas.steps?.reserved === 0);
    expect((await client.quotas.get()).quotas.steps).toMatchObject({ used: MESSAGES, reserved: 0 });
    await client.quotas.set({});
  });

  test("of an agent, which is that of all below it", async () => {
    const before = await calls();
    const reached = await play(children, (left) => client.agents.update(parent, { quotas: { steps: before + left } }));
    expect(reached).toEqual([ADMITTED, ADMITTED + RAISED, MESSAGES]);
  });

  test("of the one agent that got them all", async () => {
    const [only = ""] = children;
    const { steps } = (await client.agents.get(only)).usage;
    const reached = await play([only], (left) => client.agents.update(only, { quotas: { steps: steps + left } }));
    expect(reached).toEqual([ADMITTED, ADMITTED + RAISED, MESSAGES]);
    const { quotas } = await client.agents.get(only);
    expect(quotas.steps).toMatchObject({ used: steps + MESSAGES, reserved: 0 });
  });
});

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(50)) if (await holds()) return;
  throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
}
