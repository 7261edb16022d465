import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ModelServer } from "../../support/model-server/client.ts";
import type { ScriptedReply } from "../../support/model-server/script.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** Calls of keys and the gates of the vendor accounts that they are made at. */

const MODEL = "openai/gpt-6-luna";
/** Whatever a request waits for in line, and the call itself. */
const PATIENCE_MS = 30_000;

let model: ModelServer;
let kernel: KernelProcess;

beforeAll(async () => {
  model = await ModelServer.start();
});

afterAll(async () => model?.stop());

async function boot(limits: string): Promise<void> {
  await kernel?.dispose();
  const env = { OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.baseUrl, OPENAI_LIMITS: limits };
  kernel = await KernelProcess.start(undefined, env);
}

interface Answer {
  status: number;
  code: string | undefined;
  retryAfter: string | null;
}

async function ask(text = "hello", stream = false): Promise<Answer> {
  const response = await fetch(`${kernel.url}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: text }], stream }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const body = await response.text();
  const code = response.status === 200 ? undefined : (JSON.parse(body) as { error: { code: string } }).error.code;
  return { status: response.status, code, retryAfter: response.headers.get("retry-after") };
}

/** How many calls the vendor saw since the story began. */
async function calls(): Promise<number> {
  return (await model.journal()).filter(({ type }) => type === "request").length - before;
}

async function account() {
  const headers = { Authorization: `Bearer ${kernel.adminKey}` };
  const { items } = (await (await fetch(`${kernel.url}/v1/providers`, { headers })).json()) as {
    items: { name: string; gate: { state: string; inUse: number; waiting: number } | null }[];
  };
  return items.find(({ name }) => name === "openai")?.gate;
}

let before = 0;
async function script(reply: ScriptedReply, queue: ScriptedReply[] = []): Promise<void> {
  await model.script({ queue, rules: [{ reply }] });
  before = (await model.journal()).filter(({ type }) => type === "request").length;
}

describe("the limits of an account", () => {
  beforeAll(() => boot("concurrency=2"));
  afterAll(() => kernel.dispose());

  test("hold for calls of keys: the rest wait in line, and go one after the other", async () => {
    await script({ text: "here", latencyMs: 300 });
    const replies = await Promise.all(Array.from({ length: 8 }, (_, number) => ask(`person ${number}`)));
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
    let [open, most] = [0, 0];
    for (const { type } of await model.journal()) {
      if (type === "request") open += 1;
      if (type === "end") open -= 1;
      most = Math.max(most, open);
    }
    expect(most).toBe(2);
    await expect.poll(async () => (await account())?.inUse).toBe(0);
  });

  test("refuse who has waited for some seconds with 429 and when to come again", async () => {
    await script({ text: "late", latencyMs: 14_000 });
    const held = [ask("a"), ask("b")];
    await expect.poll(calls).toBe(2);
    const [whole, streamed] = await Promise.all([ask("c"), ask("d", true)]);
    for (const refused of [whole, streamed]) expect(refused).toMatchObject({ status: 429, code: "rate_limited" });
    expect(Number(whole.retryAfter)).toBeGreaterThan(0);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect(await calls()).toBe(2);
  });

  test("forget a caller that hung up", async () => {
    await script({ text: "never heard", latencyMs: 5_000 });
    const leaving = new AbortController();
    const body = JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "bye" }] });
    const headers = { Authorization: `Bearer ${kernel.adminKey}`, "Content-Type": "application/json" };
    const options = { method: "POST", headers, body, signal: leaving.signal };
    const left = [1, 2].map(() => fetch(`${kernel.url}/v1/chat/completions`, options).catch(() => "left"));
    await expect.poll(calls).toBe(2);
    leaving.abort();
    expect(await Promise.all(left)).toEqual(["left", "left"]);
    await script({ text: "here" });
    expect((await ask("next")).status).toBe(200);
  });
});

describe("a vendor that fails", () => {
  beforeEach(() => boot("concurrency=10"));
  afterAll(() => kernel.dispose());

  test("opens the breaker after five calls, and is not asked by others: they get 503", async () => {
    await script({ fault: { kind: "status", status: 500 } });
    const answers: Answer[] = [];
    for (let number = 0; number < 5; number++) answers.push(await ask(`person ${number}`));
    expect(answers.map(({ code }) => code)).toEqual(Array(5).fill("provider_unavailable"));
    answers.push(...(await Promise.all(Array.from({ length: 15 }, (_, number) => ask(`late person ${number}`)))));
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused[0]).toMatchObject({ code: "unavailable" });
    expect(Number(refused[0]?.retryAfter)).toBeGreaterThan(0);
    expect((await account())?.state).not.toBe("closed");
    expect(await calls()).toBeLessThan(12);
    await script({ text: "back" });
    await expect.poll(async () => (await ask()).status, { timeout: PATIENCE_MS }).toBe(200);
  });

  test("and asks for a pause gets it: 429 with the time that is left of it", async () => {
    const pause: ScriptedReply = { fault: { kind: "rate_limit", retryAfterSeconds: 25, as: "seconds" } };
    await script({ text: "here" }, [pause]);
    const limited = { status: 429, code: "provider_rate_limited" };
    expect(await ask()).toMatchObject({ ...limited, retryAfter: "25" });
    const next = await ask();
    expect(next).toMatchObject(limited);
    expect(Number(next.retryAfter)).toBeGreaterThan(15);
    expect(await calls()).toBe(1);
    const client = new OpenAI({ baseURL: `${kernel.url}/v1`, apiKey: kernel.adminKey, maxRetries: 0 });
    const refused = client.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: "hello" }] });
    await expect(refused).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  });

  test("and is gone costs one call at its upper bound, not each of them", async () => {
    await script({ text: "here" });
    expect((await ask()).status).toBe(200);
    const { url } = model;
    await model.stop();
    for (let number = 0; number < 4; number++) expect((await ask(`person ${number}`)).status).toBe(502);
    const headers = { Authorization: `Bearer ${kernel.adminKey}` };
    const unknown = async () => {
      const { items } = (await (await fetch(`${kernel.url}/v1/costs`, { headers })).json()) as {
        items: { calls: number; unknown: number }[];
      };
      return items[0];
    };
    await expect.poll(async () => (await unknown())?.calls).toBe(5);
    expect((await unknown())?.unknown).toBeLessThanOrEqual(1);
    model = await ModelServer.start({ port: Number(new URL(url).port) });
  });
});
