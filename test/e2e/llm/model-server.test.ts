import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeProviders } from "../../../kernel/llm/providers.ts";
import { ModelServer } from "../../support/model-server/client.ts";

/** The scripted model server itself: other tests trust its journal. */

let folder: string;
let server: ModelServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "model-server-"));
  server = await ModelServer.start({ journal: join(folder, "journal.jsonl") });
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function say(text: string): Promise<string> {
  const found = makeProviders({ OPENAI_BASE_URL: server.baseUrl }, fetch).get("openai/any-model");
  if (!found.ok) throw new Error(found.error.message);
  const { provider, model } = found.value;
  const outcome = await provider.chat(
    { model, messages: [{ role: "user", content: text }], tools: [], maxOutputTokens: 100 },
    { signal: AbortSignal.timeout(5_000) },
  );
  return outcome.ok ? outcome.reply.content : outcome.error.code;
}

it("echoes the newest user text when nothing is scripted", async () => {
  expect(await say("hello")).toBe("echo: hello");
});

it("uses its queue in order, then the first rule that matches, as often as it may", async () => {
  await server.script({
    queue: [{ text: "first" }, { fault: { kind: "status", status: 503 } }],
    rules: [
      { match: { lastUser: "weather" }, times: 1, reply: { text: "sunny" } },
      { match: { lastUser: "weather" }, reply: { text: "sunny again" } },
    ],
  });
  const answers = [];
  for (const text of ["a", "b", "the weather?", "the weather?", "c"]) answers.push(await say(text));
  expect(answers).toEqual(["first", "provider_unavailable", "sunny", "sunny again", "echo: c"]);
});

it("has every request and reply on disk when it is killed", async () => {
  await say("one");
  await server.script({ queue: [{ text: "never whole", fault: { kind: "fin", afterChunks: 1 } }] });
  await say("two");
  process.kill(server.pid, "SIGKILL");
  const lines = (await readFile(join(folder, "journal.jsonl"), "utf8")).trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { type: string; request: number; complete?: boolean });
  expect(entries.map(({ type, request }) => `${type} ${request}`)).toEqual([
    "request 1",
    "reply 1",
    "end 1",
    "request 2",
    "reply 2",
    "end 2",
  ]);
  expect(entries.map(({ complete }) => complete).filter((complete) => complete !== undefined)).toEqual([true, false]);
});
