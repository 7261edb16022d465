import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import type { MessageView } from "../../../kernel/process/message.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** The batch lane through the real local queue, against a model server that fails every tenth request, and through kills of the runtime. */

const AGENTS = 20;
const MESSAGES = 10;
/** Listed, so that it has a price. */
const MODEL = "gpt-5.4-mini";
const ANSWERS = join(import.meta.dirname, "failing-tenth.ts");

describe(`${AGENTS * MESSAGES} messages over ${AGENTS} agents of the batch lane`, () => {
  let folder: string;
  let model: ModelServer;
  let kernel: KernelProcess;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "aos-journal-"));
    model = await ModelServer.start({ journal: join(folder, "journal.jsonl"), answers: ANSWERS });
    kernel = await start();
  });

  afterEach(async () => {
    await kernel.dispose();
    await model.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("survive SIGKILLs of the runtime, which lose what the local queue held", async () => {
    const sent = await sendAll();
    const resumedMs: number[] = [];
    for (let kill = 0; kill < 3; kill++) {
      await sleep(400);
      const requests = (await model.journal()).length;
      await kernel.end("SIGKILL");
      kernel = await start(kernel.state);
      const begun = performance.now();
      while ((await model.journal()).length === requests) await sleep(20);
      resumedMs.push(Math.round(performance.now() - begun));
    }
    const begun = performance.now();
    const messages = await ended(sent, 110_000);
    console.log(
      `resumed after ${resumedMs.join(", ")} ms; all ended ${Math.round(performance.now() - begun)} ms later`,
    );

    expect(messages.map(({ state, reply }) => [state, reply])).toEqual(
      sent.map(({ text }) => ["answered", `echo: ${text}`]),
    );
    for (const agentId of new Set(sent.map((message) => message.agentId))) {
      expect((await client().ledger.verify({ agentId })).ok).toBe(true);
      const steps = await Array.fromAsync(client().agents.steps(agentId));
      expect(steps.filter(({ state }) => state === "done")).toHaveLength(MESSAGES + 1);
    }
  });

  function start(state?: string): Promise<KernelProcess> {
    return KernelProcess.start(state, { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.baseUrl });
  }

  function client(): KernelClient {
    return new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  }

  /** Spawns the daemons, lets them do their goals, and fills their mailboxes. */
  async function sendAll() {
    const spec = { role: "echo", goal: "begin", model: `openai/${MODEL}`, lane: "batch" as const, daemon: true };
    const agents = await Promise.all(
      Array.from({ length: AGENTS }, (_, i) => client().agents.spawn({ ...spec, name: `Agent ${i}` })),
    );
    await Promise.all(agents.map(({ id }) => client().agents.wait(id)));
    const texts = agents.flatMap(({ id }, i) =>
      Array.from({ length: MESSAGES }, (_, n) => ({ agentId: id, text: `agent ${i}, message ${n}` })),
    );
    return Promise.all(
      texts.map(async ({ agentId, text }) => {
        const { messageId } = await client().messages.send(agentId, text);
        return { agentId, messageId, text };
      }),
    );
  }

  /** The messages as they ended, in the order of `sent`. */
  async function ended(sent: { agentId: string; messageId: string }[], ms: number): Promise<MessageView[]> {
    const agentIds = [...new Set(sent.map(({ agentId }) => agentId))];
    for (const end = Date.now() + ms; Date.now() < end; await sleep(200)) {
      const lists = await Promise.all(agentIds.map((agentId) => client().messages.list(agentId)));
      const messages = lists.flatMap(({ items }) => items.filter(({ from }) => from !== "kernel"));
      if (messages.some(({ state }) => state === "queued" || state === "running")) continue;
      const byId = new Map(messages.map((message) => [message.id, message]));
      return sent.map(({ messageId }) => byId.get(messageId)).filter((message) => message !== undefined);
    }
    throw new Error("some messages never ended");
  }
});
