import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** Fifty clients let one process go on at once, two hundred times over. The model server's journal says how often it ran. */

const RESUMES = 50;
const ROUNDS = 200;
/** A short history each: this is about resuming, not about long prompts. */
const AGENTS = 10;

let journal: string;
let model: ModelServer;
let kernel: KernelProcess;

beforeAll(async () => {
  journal = mkdtempSync(join(tmpdir(), "aos-journal-"));
  model = await ModelServer.start({ journal: join(journal, "journal.jsonl") });
  kernel = await KernelProcess.start(undefined, { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl });
});

afterAll(async () => {
  await kernel.dispose();
  await model.stop();
  rmSync(journal, { recursive: true, force: true });
});

test("fifty resumes at once, two hundred times: exactly one runs", async () => {
  const client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  const spec = { name: "Sleeper", role: "r", goal: "begin", model: "openai/test", daemon: true };
  const startedAt = Date.now();
  for (let agent = 0; agent < AGENTS; agent++) {
    const { id } = await client.agents.spawn(spec);
    await client.agents.wait(id, { timeoutSeconds: 60 });
    for (let round = 0; round < ROUNDS / AGENTS; round++) {
      const content = `round ${round}`;
      await client.agents.signal(id, "STOP");
      const reply = client.messages.send(id, content, { waitSeconds: 60 });
      await Promise.all(Array.from({ length: RESUMES }, () => client.agents.signal(id, "CONT")));
      expect((await reply).reply).toBe(`echo: ${content}`);
    }
  }
  const requests = (await model.journal()).filter((entry) => entry.type === "request");
  console.log(`${ROUNDS} rounds of ${RESUMES} resumes in ${Date.now() - startedAt} ms: ${requests.length} model calls`);
  expect(requests).toHaveLength(AGENTS + ROUNDS);
});
