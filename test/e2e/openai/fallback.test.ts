import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { WRONG_KEY } from "../llm/vendor-rig.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** A client that names several models: one vendor refuses the key, another one answers. */

const REFUSED = "openai/gpt-5.4-mini";
const SERVED = "deepseek/deepseek-flash";

let server: ModelServer;
let kernel: KernelProcess;

beforeAll(async () => {
  server = await ModelServer.start();
  kernel = await KernelProcess.start(undefined, {
    OPENAI_API_KEY: WRONG_KEY,
    OPENAI_BASE_URL: `${server.url}/openai/v1`,
    DEEPSEEK_API_KEY: "test-key",
    DEEPSEEK_BASE_URL: `${server.url}/deepseek`,
  });
});

afterAll(async () => {
  await kernel?.dispose();
  await server?.stop();
});

beforeEach(() => server.script({ rules: [{ reply: { text: "Here I am.", chunkChars: 4 } }] }));

interface Completion {
  id: string;
  model: string;
  choices: { message: { content: string } }[];
  error?: { code: string };
}

async function ask(body: object): Promise<Response> {
  const headers = { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" };
  const messages = [{ role: "user", content: "Who is there?" }];
  return fetch(`${kernel.url}/v1/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify({ messages, ...body }),
  });
}

async function newest(count: number) {
  const client = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  const { items } = await client.ledger.calls({ limit: count });
  return items.map(({ callId, model, state }) => ({ callId, model, state }));
}

describe("a chat completion that names several models", () => {
  test("comes from the first that can be called, and names it and its call", async () => {
    const reply = (await (await ask({ model: REFUSED, models: [SERVED] })).json()) as Completion;
    expect(reply).toMatchObject({ model: SERVED, choices: [{ message: { content: "Here I am." } }] });
    await expect
      .poll(() => newest(2))
      .toEqual([
        { callId: reply.id.replace("chatcmpl-", ""), model: SERVED, state: "settled" },
        { callId: expect.any(String), model: REFUSED, state: "settled" },
      ]);
  });

  test("is streamed from it", async () => {
    const text = await (await ask({ model: REFUSED, models: [SERVED], stream: true })).text();
    const chunks = text.split("\n\n").filter((frame) => frame.startsWith("data: {"));
    const parsed = chunks.map(
      (frame) => JSON.parse(frame.slice(6)) as { model: string; choices: { delta: { content?: string } }[] },
    );
    expect(new Set(parsed.map(({ model }) => model))).toEqual(new Set([SERVED]));
    expect(parsed.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("Here I am.");
  });

  test("that broke in the middle of its reply is not begun anew by another", async () => {
    const fault = { kind: "error_in_stream" as const, afterChunks: 2, message: "the server is overloaded" };
    await server.script({ queue: [{ text: "Here I am.", chunkChars: 4, fault }] });
    const text = await (await ask({ model: SERVED, models: ["deepseek/deepseek-v4-pro"], stream: true })).text();
    expect(text).toContain('"error"');
    expect(text).not.toContain("[DONE]");
    expect((await newest(1))[0]?.model).toBe(SERVED);
  });

  test("fails as the last one did, and with nothing asked when one of them is nobody's or an agent", async () => {
    const failed = await ask({ model: REFUSED, models: ["openai/gpt-4o-mini"] });
    expect(((await failed.json()) as Completion).error?.code).toBe("provider_auth");
    const asked = (await server.journal()).length;
    const unknown = await ask({ model: SERVED, models: ["nobody/x"] });
    expect([unknown.status, ((await unknown.json()) as Completion).error?.code]).toEqual([422, "unknown_model"]);
    const agent = await ask({ model: SERVED, models: ["agent/agt_x"] });
    expect([agent.status, ((await agent.json()) as Completion).error?.code]).toEqual([422, "invalid_input"]);
    expect((await server.journal()).length).toBe(asked);
  });
});
