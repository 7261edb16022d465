import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import type { JournalEntry } from "../../support/model-server/script.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** SIGKILL in the middle of a reply, on vendors that go on from the beginning of one and on one that does not. */

const WORDS = 2_000;
const TEXT = Array.from({ length: WORDS }, (_, i) => `word-${i}`).join(" ");
/** One word every 30 ms: a minute, far longer than it takes until the first of it is written down. */
const SLOW = { text: TEXT, chunkChars: 9, chunkDelayMs: 30 };

describe.each([
  { provider: "deepseek", model: "deepseek/deepseek-flash", version: "", resumes: true },
  { provider: "kimi", model: "kimi/kimi-k2.6", version: "/v1", resumes: true },
  { provider: "openai", model: "openai/gpt-6-luna", version: "/v1", resumes: false },
])("a generation of $provider that a crash cuts", ({ provider, model, version, resumes }) => {
  let server: ModelServer;
  let kernel: KernelProcess;

  beforeEach(async () => {
    server = await ModelServer.start();
    kernel = await start();
  });

  afterEach(async () => {
    await kernel.dispose();
    await server.stop();
  });

  function start(state?: string): Promise<KernelProcess> {
    const name = provider.toUpperCase();
    const baseUrl = `${server.url}/${provider}${version}`;
    return KernelProcess.start(state, { [`${name}_API_KEY`]: "a-key-of-the-tests", [`${name}_BASE_URL`]: baseUrl });
  }

  const client = () => new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });

  test(resumes ? "goes on from its text" : "starts over, and says so", async () => {
    await server.script({ queue: [SLOW] });
    const { id } = await client().agents.spawn({ name: "Writer", role: "writer", goal: "Write.", model });
    if (resumes) await until(() => written(kernel.state) !== null);
    else await until(async () => (await requests(server)).length > 0);
    process.kill(kernel.workerdPid, "SIGKILL");
    await kernel.end("SIGKILL");
    const kept = written(kernel.state);
    await server.script({ queue: [{ text: TEXT, chunkChars: 4_000 }] });
    kernel = await start(kernel.state);
    const block = await client().agents.wait(id, { timeoutSeconds: 60 });
    expect(block.exit).toEqual({ code: 0, reason: "completed" });
    expect(block.result).toBe(TEXT);

    const [first, second, ...more] = await Array.fromAsync(client().agents.steps(id));
    expect(more).toEqual([]);
    expect(first?.state).toBe("lost");
    expect(second).toMatchObject({ state: "done", [resumes ? "resumedFrom" : "restartedFrom"]: first?.callId });
    const calls = await client().ledger.calls({ agentId: id });
    const entry = calls.items.find(({ callId }) => callId === second?.callId);
    expect([entry?.resumedFrom, entry?.restartedFrom]).toEqual(resumes ? [first?.callId, null] : [null, first?.callId]);
    const [, body] = await requests(server);
    if (!resumes) return expect(body?.messages.at(-1)?.role).toBe("user");

    // The rest alone was asked for, written and billed.
    expect(kept?.length).toBeGreaterThan(0);
    expect(TEXT.startsWith(kept ?? "?")).toBe(true);
    expect(body?.messages.at(-1)).toMatchObject({ role: "assistant", content: kept });
    expect(entry?.completionTokens).toBeLessThan(Math.ceil(JSON.stringify(TEXT).length / 4));
  });
});

test("a vendor that refuses to go on is asked for all of it, and the message does not fail for that", async () => {
  const server = await ModelServer.start();
  const settings = { DEEPSEEK_API_KEY: "a-key-of-the-tests", DEEPSEEK_BASE_URL: `${server.url}/deepseek` };
  let kernel = await KernelProcess.start(undefined, settings);
  try {
    const client = () => new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
    await server.script({ queue: [SLOW] });
    const model = "deepseek/deepseek-flash";
    const { id } = await client().agents.spawn({ name: "Writer", role: "writer", goal: "Write.", model });
    await until(() => written(kernel.state) !== null);
    process.kill(kernel.workerdPid, "SIGKILL");
    await kernel.end("SIGKILL");
    await server.script({ queue: [{ fault: { kind: "status", status: 404 } }, { text: TEXT, chunkChars: 4_000 }] });
    kernel = await KernelProcess.start(kernel.state, settings);
    expect((await client().agents.wait(id, { timeoutSeconds: 60 })).result).toBe(TEXT);
    const steps = await Array.fromAsync(client().agents.steps(id));
    const [lost] = steps;
    expect(steps.map(({ state, resumedFrom, restartedFrom }) => [state, resumedFrom, restartedFrom])).toEqual([
      ["lost", undefined, undefined],
      ["failed", lost?.callId, undefined],
      ["done", undefined, lost?.callId],
    ]);
  } finally {
    await kernel.dispose();
    await server.stop();
  }
});

interface Body {
  messages: { role: string; content: string }[];
}

async function requests(server: ModelServer): Promise<Body[]> {
  const entries = await server.journal();
  const seen = entries.filter((entry): entry is Extract<JournalEntry, { type: "request" }> => entry.type === "request");
  return seen.map((entry) => entry.body as Body);
}

/** What the only agent's object has written down of a running reply, read beside the runtime. */
function written(state: string): string | null {
  const folder = join(state, "do/agent-os-kernel-AgentProcess");
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".sqlite")) : [];
  for (const file of files) {
    const database = new DatabaseSync(join(folder, file), { readOnly: true });
    try {
      const row = database.prepare("SELECT outcome FROM pending WHERE state = 'running'").get();
      const outcome = row?.["outcome"];
      if (typeof outcome === "string") return (JSON.parse(outcome) as { content: string }).content;
    } catch {
      // Not an agent's, or not born yet.
    } finally {
      database.close();
    }
  }
  return null;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) if (await condition()) return;
  throw new Error("it never came to that");
}
