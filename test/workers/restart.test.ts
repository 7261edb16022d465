import { abortAllDurableObjects, evictAllDurableObjects } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { boot, json, request, spawnDaemon } from "./kernel-client.ts";

beforeAll(boot);

/** An agent that is stopped with one question in its mailbox, and the request that waits for the reply. */
async function waiting() {
  const { id } = await spawnDaemon();
  await json(200, "GET", `/v1/agents/${id}/wait?timeout=15`);
  await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "STOP" } });
  const body = { content: "What is 6 * 7?", wait: 15 };
  const reply = json<{ reply: string }>(200, "POST", `/v1/agents/${id}/messages`, { body });
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { id, reply };
}

describe("a client that waits", () => {
  test("gets its reply although the object was evicted in the meantime", async () => {
    const { id, reply } = await waiting();
    await evictAllDurableObjects();
    await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "CONT" } });
    expect((await reply).reply).toContain("42");
  });

  test("gets its reply although the object died in the meantime", async () => {
    const { id, reply } = await waiting();
    await abortAllDurableObjects();
    await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "CONT" } });
    expect((await reply).reply).toContain("42");
  });

  test("for a process notices its end after a restart", async () => {
    const { id, reply } = await waiting();
    await abortAllDurableObjects();
    await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "CONT" } });
    await reply;
    const idle = json<ControlBlock>(200, "GET", `/v1/agents/${id}/wait?timeout=15`);
    expect(await idle).toMatchObject({ state: "waiting", waitReason: "message" });
  });
});

describe("an event stream", () => {
  test("that was cut by a restart ends without an end, and goes on where it was", async () => {
    const { id, reply } = await waiting();
    const stream = await request("GET", `/v1/agents/${id}/events`);
    const text = stream.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await abortAllDurableObjects();
    const first = await text;
    expect(first).not.toContain("event: end");
    const last =
      first
        .match(/^id: (\d+)$/gm)
        ?.at(-1)
        ?.slice(4) ?? "";
    await json(202, "POST", `/v1/agents/${id}/signals`, { body: { signal: "KILL" } });
    await reply.catch(() => {});
    const rest = await (await request("GET", `/v1/agents/${id}/events`, { headers: { "Last-Event-ID": last } })).text();
    expect(rest).toContain(`id: ${Number(last) + 1}\n`);
    expect(rest).toContain("event: end");
  });
});
